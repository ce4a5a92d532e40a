//! Vendors with forms of their own: what they get, and what clients get of their answers.

use super::*;
use crate::FaultKind;
use crate::api::job::Progress;

const PNG: &str = "data:image/png;base64,aGk=";

/// A request for an edit of an image in a data URL.
fn edit(upstream: Api, body: Value) -> Result<Told, Fault> {
    told(Api::OpenaiImageEdits, body.to_string().as_bytes(), None, &Files::new(), upstream)
}

/// What a form says: names and values, in their order.
fn fields(told: &Told) -> Vec<(String, String)> {
    let boundary = told.content_type.split_once("boundary=").unwrap().1;
    let mut decoder = Decoder::new(boundary);
    decoder.push(text(told).as_bytes(), &mut |_, _| {}).unwrap();
    let form = decoder.finish().unwrap();
    let value = |part: &crate::form::Part| match &part.content {
        crate::form::Content::Text(text) => text.clone(),
        crate::form::Content::File(file) => format!("file of {} bytes", file.bytes),
    };
    form.parts.iter().map(|part| (part.name.clone(), value(part))).collect()
}

#[track_caller]
fn check_form(told: &Told, in_path: &str, expected: &[(&str, &str)], dropped: &[&str]) {
    let found = fields(told);
    let found: Vec<(&str, &str)> =
        found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(
        (told.in_path.as_str(), told.headers.as_slice()),
        (in_path, [("accept", "application/json".to_owned())].as_slice())
    );
    assert_eq!(told.dropped, dropped);
}

#[test]
fn requests_of_each_vendor() {
    let mut all = everything();
    check(
        Api::BflImages,
        &all,
        json!({"prompt": "p", "width": 1536, "height": 1024, "seed": 7, "output_format": "png", "background": "opaque", "steps": 4}),
        &["n", "quality", "negative_prompt", "user"],
    );
    check(
        Api::FalImages,
        &all,
        json!({"prompt": "p", "image_size": {"width": 1536, "height": 1024}, "num_images": 2, "seed": 7, "output_format": "png",
               "negative_prompt": "q", "background": "opaque", "steps": 4}),
        &["quality", "user"],
    );
    check(
        Api::ReplicatePredictions,
        &all,
        json!({"input": {"prompt": "p", "aspect_ratio": "3:2", "num_outputs": 2, "seed": 7, "output_format": "png",
               "negative_prompt": "q", "background": "opaque", "steps": 4}}),
        &["quality", "user"],
    );
    check(
        Api::SegmindImages,
        &all,
        json!({"prompt": "p", "img_width": 1536, "img_height": 1024, "samples": 2, "seed": 7, "negative_prompt": "q", "base64": true,
               "background": "opaque", "steps": 4}),
        &["quality", "response_format", "output_format", "user"],
    );
    check(
        Api::FireworksImages,
        &all,
        json!({"prompt": "p", "aspect_ratio": "3:2", "seed": 7}),
        &[
            "n",
            "quality",
            "response_format",
            "output_format",
            "negative_prompt",
            "user",
            "background",
            "steps",
        ],
    );
    all["model"] = json!("flux-kontext-pro");
    check(
        Api::BflImages,
        &all,
        json!({"prompt": "p", "aspect_ratio": "3:2", "seed": 7, "output_format": "png", "background": "opaque", "steps": 4}),
        &["n", "quality", "negative_prompt", "user"],
    );
    all["model"] = json!("accounts/fireworks/models/flux-kontext-pro");
    all["safety_tolerance"] = json!(3);
    check(
        Api::FireworksKontext,
        &all,
        json!({"prompt": "p", "aspect_ratio": "3:2", "seed": 7, "output_format": "png", "safety_tolerance": 3}),
        &["n", "quality", "negative_prompt", "user", "background", "steps"],
    );
    all.as_object_mut().unwrap().remove("safety_tolerance");
    all["model"] = json!("stable-image-core");
    check_form(
        &translated(Api::StabilityImages, &all).unwrap(),
        "generate/core",
        &[
            ("prompt", "p"),
            ("aspect_ratio", "3:2"),
            ("negative_prompt", "q"),
            ("output_format", "png"),
            ("seed", "7"),
            ("background", "opaque"),
            ("steps", "4"),
        ],
        &["n", "quality", "response_format", "user"],
    );
}

#[test]
fn sizes_that_are_no_ratio_of_the_vendors_are_dropped() {
    let odd = json!({"model": "o/m", "prompt": "p", "size": "1000x300"});
    for (api, dropped) in [
        (Api::ReplicatePredictions, &["size"][..]),
        (Api::FireworksImages, &["size"]),
        (Api::FireworksKontext, &["size"]),
        (Api::FalImages, &[]),
        (Api::BflImages, &[]),
    ] {
        assert_eq!(translated(api, &odd).unwrap().dropped, dropped, "{api:?}");
    }
}

#[test]
fn pictures_of_each_vendor() {
    let body =
        |model: &str, pictures: usize| json!({"model": model, "prompt": "p", "images": vec![PNG; pictures]});
    for (api, model, pictures, expected) in [
        (
            Api::BflImages,
            "flux-2-pro",
            2,
            json!({"prompt": "p", "input_image": "aGk=", "input_image_2": "aGk="}),
        ),
        (Api::BflImages, "flux-pro-1.0-fill", 1, json!({"prompt": "p", "image": "aGk="})),
        (Api::FalImages, "fal-ai/flux-2/edit", 2, json!({"prompt": "p", "image_urls": [PNG, PNG]})),
        (Api::FalImages, "fal-ai/flux-pro/kontext", 1, json!({"prompt": "p", "image_url": PNG})),
        (
            Api::ReplicatePredictions,
            "google/nano-banana",
            2,
            json!({"input": {"prompt": "p", "image_input": [PNG, PNG]}}),
        ),
        (
            Api::ReplicatePredictions,
            "black-forest-labs/flux-kontext-pro",
            1,
            json!({"input": {"prompt": "p", "input_image": PNG}}),
        ),
        (Api::SegmindImages, "sd", 1, json!({"prompt": "p", "image": "aGk=", "base64": true})),
    ] {
        assert_eq!(json_of(&edit(api, body(model, pictures)).unwrap()), expected, "{model}");
    }
    let filled = json!({"model": "flux-pro-1.0-fill", "prompt": "p", "image": PNG, "mask": PNG});
    assert_eq!(
        text(&edit(Api::BflImages, filled).unwrap()),
        r#"{"prompt":"p","image":"aGk=","mask":"<White Base64("aGk=")>"}"#
    );
    for (api, model, pictures) in [
        (Api::BflImages, "flux-pro-1.0-fill", 2),
        (Api::BflImages, "flux-2-pro", 9),
        (Api::FalImages, "fal-ai/flux-pro/kontext", 2),
        (Api::ReplicatePredictions, "o/kontext", 2),
        (Api::SegmindImages, "sd", 2),
        (Api::StabilityImages, "inpaint", 2),
        (Api::FireworksKontext, "flux-kontext-pro", 2),
    ] {
        let fault = edit(api, body(model, pictures)).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("image")), "{model}");
    }
    for api in [
        Api::BflImages,
        Api::FalImages,
        Api::FireworksKontext,
        Api::ReplicatePredictions,
        Api::SegmindImages,
        Api::StabilityImages,
    ] {
        let masked = json!({"model": "core", "prompt": "p", "image": PNG, "mask": PNG});
        assert_eq!(edit(api, masked).unwrap_err().param.as_deref(), Some("mask"), "{api:?}");
    }
}

#[test]
fn stabilitys_services() {
    let ask = |model: &str, more: Value| {
        let mut body = json!({"model": model, "prompt": "p", "image": PNG});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        edit(Api::StabilityImages, body)
    };
    check_form(
        &ask("search-and-replace", json!({"search_prompt": "hat", "grow_mask": 3})).unwrap(),
        "edit/search-and-replace",
        &[("prompt", "p"), ("search_prompt", "hat"), ("grow_mask", "3"), ("image", "file of 2 bytes")],
        &[],
    );
    check_form(
        &ask("sd3.5-large", json!({})).unwrap(),
        "generate/sd3",
        &[
            ("prompt", "p"),
            ("model", "sd3.5-large"),
            ("mode", "image-to-image"),
            ("strength", "0.5"),
            ("image", "file of 2 bytes"),
        ],
        &[],
    );
    check_form(
        &ask("stable-image-ultra", json!({"strength": 0.25})).unwrap(),
        "generate/ultra",
        &[("prompt", "p"), ("strength", "0.25"), ("image", "file of 2 bytes")],
        &[],
    );
    let masked = ask("inpaint", json!({"mask": PNG})).unwrap();
    assert!(
        text(&masked)
            .contains("name=\"mask\"; filename=\"mask.png\"\r\nContent-Type: image/png\r\n\r\n<White Base64")
    );
    let fault = ask("dall-e-3", json!({})).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (404, Some("model")));
    assert_eq!(
        ask("core", json!({"image": "data:image/png;base64,?"})).unwrap_err().param.as_deref(),
        Some("image")
    );
    // No boundary that stands in what it parts.
    let told = ask("core", json!({"prompt": "form-boundary-0 form-boundary-1"})).unwrap();
    assert!(told.content_type.ends_with("form-boundary-2"), "{}", told.content_type);
}

#[test]
fn answers_of_each_vendor() {
    let client = json!({"model": "core", "prompt": "p"});
    let url = r#"{"created":0,"data":[{"url":"https://f.example/a"}]}"#;
    let base64 = r#"{"created":0,"data":[{"b64_json":"aGk="}]}"#;
    for (api, answer, expected) in [
        (
            Api::BflImages,
            r#"{"status":"Ready","result":{"sample":"https://f.example/a","prompt":"pp"}}"#,
            r#"{"created":0,"data":[{"url":"https://f.example/a","revised_prompt":"pp"}]}"#,
        ),
        (Api::ReplicatePredictions, r#"{"status":"succeeded","output":"https://f.example/a"}"#, url),
        (Api::ReplicatePredictions, r#"{"status":"succeeded","output":["https://f.example/a"]}"#, url),
        (
            Api::ReplicatePredictions,
            r#"{"status":"succeeded","output":"data:image/png;base64,aGk="}"#,
            base64,
        ),
        (Api::FalImages, r#"{"images":[{"url":"https://f.example/a"}],"has_nsfw_concepts":[false]}"#, url),
        (Api::FalImages, r#"{"image":{"url":"data:image/png;base64,aGk="}}"#, base64),
        (
            Api::FireworksImages,
            r#"{"base64":["data:image/png;base64,aGk="],"finishReason":"SUCCESS"}"#,
            base64,
        ),
        (Api::FireworksImages, r#"{"base64":["aGk="]}"#, base64),
        (Api::StabilityImages, r#"{"image":"aGk=","finish_reason":"SUCCESS"}"#, base64),
        (Api::SegmindImages, r#"{"image":"aGk=","status":"Success"}"#, base64),
    ] {
        assert_eq!(answers(api, &client, answer).unwrap(), expected, "{api:?}");
    }
    for (api, answer) in [
        (Api::FalImages, r#"{"images":[{"url":"https://f.example/a"}],"has_nsfw_concepts":[true]}"#),
        (Api::FireworksImages, r#"{"base64":[],"finishReason":"CONTENT_FILTERED"}"#),
        (Api::StabilityImages, r#"{"image":"","finish_reason":"CONTENT_FILTERED"}"#),
    ] {
        assert_eq!(answers(api, &client, answer).unwrap_err().kind, FaultKind::ContentPolicy, "{answer}");
    }
    for api in [
        Api::BflImages,
        Api::ReplicatePredictions,
        Api::FalImages,
        Api::FireworksImages,
        Api::StabilityImages,
        Api::SegmindImages,
    ] {
        for answer in ["", "[]", "{}", r#"{"output":[],"images":[],"image":"","base64":[],"result":{}}"#] {
            assert_eq!(answers(api, &client, answer).unwrap_err().status, 502, "{api:?} {answer}");
        }
    }
}

#[test]
fn jobs_of_each_vendor() {
    for (api, body, expected) in [
        (Api::BflImages, r#"{"id":"1","polling_url":"https://a.example/1"}"#, Ok(Progress::Open)),
        (Api::BflImages, r#"{"id":"1","status":"Ready","result":{"sample":"x"}}"#, Ok(Progress::Done)),
        (
            Api::BflImages,
            r#"{"status":"Request Moderated","details":{"Moderation Reasons":["Derivative Works"]}}"#,
            Err("Derivative Works"),
        ),
        (Api::FireworksKontext, r#"{"request_id":"1"}"#, Ok(Progress::Open)),
        (Api::FireworksKontext, r#"{"id":"1","status":"Pending","result":null}"#, Ok(Progress::Open)),
        (Api::FireworksKontext, r#"{"id":"1","status":"Ready","result":{"sample":"x"}}"#, Ok(Progress::Done)),
        (
            Api::FireworksKontext,
            r#"{"status":"Content Moderated","details":{"Moderation Reasons":["Violence"]}}"#,
            Err("Violence"),
        ),
        (Api::FalImages, r#"{"status":"IN_QUEUE","queue_position":1}"#, Ok(Progress::Open)),
        (Api::FalImages, r#"{"status":"COMPLETED"}"#, Ok(Progress::Done)),
        (Api::ReplicatePredictions, r#"{"status":"processing","error":null}"#, Ok(Progress::Open)),
        (Api::ReplicatePredictions, r#"{"status":"failed","error":"boom"}"#, Err("boom")),
        (Api::AssemblyaiTranscripts, r#"{"id":"1","status":"error","error":"no audio"}"#, Err("no audio")),
        (Api::AssemblyaiTranscripts, r#"{"id":"1","status":"completed"}"#, Ok(Progress::Done)),
    ] {
        let told = api.job().unwrap().progress(body.as_bytes());
        match (told, expected) {
            (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{body}"),
            (Err(fault), Err(word)) => assert!(fault.message.contains(word), "{fault}"),
            (told, expected) => panic!("{body}: {told:?}, not {expected:?}"),
        }
    }
}
