//! Prices of images by size and quality: rows of their own, whose names say them (`low/1024-x-1024/openai/gpt-image-2`), and fields.

use ostia_catalog::{ImageKind, PriceText, Rate, Row, Tier, Unit};
use serde_json::Value;

use crate::json::rate_of_one;

/// What stands behind a made image's price in the name of the field: `output_cost_per_image_2K`.
const FIELD: &str = "output_cost_per_image_";
/// What a row says of itself where these fields hold for what a request says as `resolution`. Elsewhere they may leave the quality out.
const BY_RESOLUTION: &str = "by the request's resolution field";
/// What a row says of itself where each begun megapixel is charged for as a whole one.
const BY_MEGAPIXEL: &str = "rounding each image up to the nearest megapixel";
/// Pixels of a megapixel: by so many LiteLLM divides the vendor's price.
const MEGAPIXEL: f64 = (1 << 20) as f64;

/// The model that a row is of, and what images of it; nothing for a row of all of them.
pub fn kind(rest: &str) -> Option<(ImageKind, &str)> {
    let (mut kind, mut rest) = (ImageKind::default(), rest);
    while let Some((step, behind)) = rest.split_once('/') {
        match (step, step.split_once("-x-")) {
            (_, Some((width, height))) => kind.size = format!("{width}x{height}"),
            ("low" | "medium" | "high" | "xhigh" | "max" | "standard" | "hd", None) => {
                kind.quality = step.to_owned()
            }
            (_, None) => break,
        }
        rest = behind;
    }
    (kind != ImageKind::default()).then_some((kind, rest))
}

/// What an image costs by a row of one kind. A price of a pixel is the vendor's price of the image divided, and rounded: it is not read.
pub fn price(model: &Value) -> Option<Rate> {
    let of = |name: &str| rate_of_one(&model[name]).filter(|rate| rate.0 > 0);
    of("output_cost_per_image").or_else(|| of("input_cost_per_image"))
}

/// Adds the price of one kind to a model. Is it charged for by the image? By tokens it has its exact price already.
pub fn add(row: &mut Row, kind: ImageKind, rate: Rate) -> bool {
    let is_token = |(unit, _): &(Unit, u64)| matches!(unit, Unit::Output | Unit::ImageOutput);
    if row.prices.iter().any(|prices| prices.rates.units.keys().any(is_token)) {
        return false;
    }
    let is_standard = |prices: &&mut PriceText| prices.tier == Tier::Standard && prices.region.is_empty();
    let Some(prices) = row.prices.iter_mut().find(is_standard) else { return false };
    prices.rates.images.insert(kind, rate);
    true
}

/// The kind of images whose price a field holds.
pub fn field(name: &str, model: &Value) -> Option<ImageKind> {
    says(model, BY_RESOLUTION).then(|| ImageKind::parse(name.strip_prefix(FIELD)?)).flatten()
}

/// What a begun megapixel costs, where a field holds that.
pub fn of_megapixel(name: &str, value: &Value, model: &Value) -> Option<Rate> {
    let price = value.as_f64().filter(|_| name == "output_cost_per_pixel" && says(model, BY_MEGAPIXEL))?;
    Rate::parse(&(price * MEGAPIXEL).to_string(), 1).ok()
}

fn says(model: &Value, what: &str) -> bool {
    let notes = ["comment", "notes"].into_iter().filter_map(|name| model["metadata"][name].as_str());
    notes.into_iter().any(|note| note.contains(what))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_rows_say_the_kind() {
        let check = |rest: &str, expected: Option<(&str, &str)>| {
            let found = kind(rest).map(|(kind, model)| (kind.to_string(), model));
            assert_eq!(found, expected.map(|(kind, model)| (kind.to_owned(), model)), "{rest}");
        };
        check("low/1024-x-768/openai/gpt-image-2", Some(("1024x768/low", "openai/gpt-image-2")));
        check("1024-x-1024/gpt-image-1.5", Some(("1024x1024", "gpt-image-1.5")));
        check("standard/dall-e-3", Some(("standard", "dall-e-3")));
        check("openai/gpt-image-2", None);
        check("flux/dev", None);
    }

    #[test]
    fn fields_hold_prices_of_resolutions_and_megapixels() {
        let by_resolution =
            json!({"metadata": {"comment": "priced by the request's resolution field (1K default)"}});
        assert_eq!(field("output_cost_per_image_0.5K", &by_resolution), ImageKind::parse("0.5k"));
        assert_eq!(field("output_cost_per_image_2K", &json!({})), None);
        assert_eq!(field("output_cost_per_image", &by_resolution), None);
        let value = json!(2.384185791015625e-08);
        let notes = json!({"metadata": {"notes": "0.025 per megapixel, rounding each image up to the nearest megapixel"}});
        let of =
            |model: &Value| of_megapixel("output_cost_per_pixel", &value, model).map(|rate| rate.text(1));
        assert_eq!((of(&notes).as_deref(), of(&json!({}))), (Some("0.025"), None));
    }

    #[test]
    fn what_is_charged_by_tokens_has_no_price_of_kinds() {
        let row = |rates: &str| {
            let line = format!(
                r#"{{"id":"m","mode":"image","prices":[{{"rates":{rates}}}],"sources":["litellm"]}}"#
            );
            ostia_catalog::parse("p", &line).unwrap().remove(0)
        };
        let added = |rates: &str| add(&mut row(rates), ImageKind::parse("hd").unwrap(), Rate(1));
        assert!(added(r#"{"output_images":"0.04"}"#));
        assert!(!added(r#"{"image_output":"30"}"#));
        assert_eq!(price(&json!({"input_cost_per_pixel": 4e-8, "output_cost_per_image": 0})), None);
    }
}
