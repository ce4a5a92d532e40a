//! The forms in which clients and providers say a model's name.

/// How a name led to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameForm {
    /// It is listed: an id or an alias, whatever its case.
    Listed,
    /// Behind a path that is listed without it: an ARN, `models/...`, `publishers/.../models/...`.
    Path,
    /// Behind a region's prefix (`eu.`, `global.`); the model without it is listed.
    Region,
    /// With a date, a version or `latest` that is not listed; the model without it is.
    Version,
    /// A model that was tuned: what it can do is its base's, what it costs is not.
    Tuned,
}

impl NameForm {
    /// Do the prices hold for what was asked for?
    pub const fn is_priced(self) -> bool {
        !matches!(self, NameForm::Tuned)
    }
}

/// Prefixes of Bedrock's inference profiles
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>).
const REGIONS: [&str; 13] = [
    "us.",
    "eu.",
    "apac.",
    "ap.",
    "jp.",
    "au.",
    "ca.",
    "sa.",
    "me.",
    "uk.",
    "us-gov.",
    "global.",
    "regional.",
];

/// Other names under which a model may be listed, in the order in which they are tried. All are parts of the name itself.
pub(crate) fn forms(name: &str) -> impl Iterator<Item = (NameForm, &str)> {
    let path = without_path(name);
    let tail = path.unwrap_or(name);
    let forms = match tuned(tail) {
        // Vendors list the prices of tuned models under `ft:BASE`.
        Some((tuned, base)) => [
            (NameForm::Path, path),
            (NameForm::Listed, Some(tuned)),
            (NameForm::Tuned, Some(base)),
            (NameForm::Tuned, without_version(base)),
        ],
        None => {
            let region = without_region(tail);
            [
                (NameForm::Path, path),
                (NameForm::Region, region),
                (NameForm::Version, without_version(region.unwrap_or(tail))),
                (NameForm::Version, None),
            ]
        }
    };
    forms.into_iter().filter_map(|(form, name)| Some((form, name?)))
}

/// `arn:aws:bedrock:us-east-1::foundation-model/ID`, `publishers/google/models/ID`, `models/ID`, `accounts/x/models/ID`.
fn without_path(name: &str) -> Option<&str> {
    if name.starts_with("arn:") {
        return name.rsplit_once('/').map(|(_, id)| id);
    }
    let at = name.rfind("models/")?;
    let is_step = at == 0 || name.as_bytes().get(at - 1) == Some(&b'/');
    is_step.then(|| &name[at + "models/".len()..]).filter(|id| !id.is_empty())
}

fn without_region(name: &str) -> Option<&str> {
    let rest = REGIONS.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    // A vendor's name follows: `anthropic.claude-...`.
    rest.contains('.').then_some(rest)
}

/// `ft:gpt-4o-mini-2024-07-18:org:name:id` as `ft:gpt-4o-mini-2024-07-18`, and its base.
fn tuned(name: &str) -> Option<(&str, &str)> {
    let base = name.strip_prefix("ft:")?.split(':').next()?;
    Some((name.get(.."ft:".len() + base.len())?, base))
}

/// The name without `-20250514`, `@20250514`, `-2025-05-14`, `-latest`, `@latest` or `@default` at its end.
pub fn without_version(name: &str) -> Option<&str> {
    const WORDS: [&str; 4] = ["-latest", "@latest", "@default", ":latest"];
    if let Some(base) = WORDS.iter().find_map(|word| name.strip_suffix(word)) {
        return Some(base).filter(|base| !base.is_empty());
    }
    let bytes = name.as_bytes();
    let ends_with = |shape: &[u8]| {
        let tail = bytes.len().checked_sub(shape.len()).and_then(|at| bytes.get(at..));
        let fits = |(byte, shape): (&u8, &u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'-' => matches!(byte, b'-' | b'@'),
            other => byte == other,
        };
        tail.is_some_and(|tail| tail.iter().zip(shape).all(fits))
    };
    let shape: &[u8] =
        [b"-0000-00-00".as_slice(), b"-00000000"].into_iter().find(|shape| ends_with(shape))?;
    name.get(..name.len() - shape.len()).filter(|base| !base.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_forms() {
        use NameForm::{Listed, Path, Region, Tuned, Version};
        let check = |name: &str, expected: &[(NameForm, &str)]| {
            assert_eq!(forms(name).collect::<Vec<_>>(), expected, "{name}");
        };
        check("gpt-4o", &[]);
        check("gpt-4o-2024-08-06", &[(Version, "gpt-4o")]);
        check("claude-sonnet-4-20250514", &[(Version, "claude-sonnet-4")]);
        check("claude-sonnet-4@20250514", &[(Version, "claude-sonnet-4")]);
        check("claude-sonnet-4@default", &[(Version, "claude-sonnet-4")]);
        check("mistral-large-latest", &[(Version, "mistral-large")]);
        // Not dates: models of their own.
        check("qwen3-235b-2507", &[]);
        check("gemini-2.0-flash-001", &[]);
        check(
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            &[(Region, "anthropic.claude-sonnet-4-20250514-v1:0")],
        );
        check("global.x", &[]);
        check(
            "arn:aws:bedrock:us-east-1:123:inference-profile/eu.amazon.nova-pro-v1:0",
            &[(Path, "eu.amazon.nova-pro-v1:0"), (Region, "amazon.nova-pro-v1:0")],
        );
        check("publishers/google/models/gemini-2.5-pro", &[(Path, "gemini-2.5-pro")]);
        check("models/gemini-2.5-pro", &[(Path, "gemini-2.5-pro")]);
        check("supermodels/x", &[]);
        check(
            "ft:gpt-4o-mini-2024-07-18:org:name:id",
            &[
                (Listed, "ft:gpt-4o-mini-2024-07-18"),
                (Tuned, "gpt-4o-mini-2024-07-18"),
                (Tuned, "gpt-4o-mini"),
            ],
        );
        check("ft:", &[(Listed, "ft:"), (Tuned, "")]);
        check("-latest", &[]);
    }
}
