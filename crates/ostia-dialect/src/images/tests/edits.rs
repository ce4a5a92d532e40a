//! Images from images: what vendors get of forms and of JSON.

use super::*;

const PNG: &str = "data:image/png;base64,aGk=";

/// A form with a picture for each name, and these fields before them.
fn form(fields: &[(&str, &str)], pictures: &[&str]) -> Form {
    let field = |(name, value): &(&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = |name: &&str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.webp\"\r\n\r\nbytes\r\n"
        )
    };
    let body: String = fields.iter().map(field).chain(pictures.iter().map(file)).collect();
    let mut decoder = Decoder::new("b");
    decoder.push(format!("{body}--b--\r\n").as_bytes(), &mut |_, _| {}).unwrap();
    decoder.finish().unwrap()
}

fn of_form(client: Api, form: &Form, upstream: Api) -> Result<Told, Fault> {
    told(client, &form.to_json(), Some(form), &Files::new(), upstream)
}

fn of_json(body: &Value, upstream: Api) -> Result<Told, Fault> {
    told(Api::OpenaiImageEdits, body.to_string().as_bytes(), None, &Files::new(), upstream)
}

#[track_caller]
fn check(told: Result<Told, Fault>, upstream: Value, dropped: &[&str]) {
    let told = told.unwrap();
    assert_eq!(json_of(&told), upstream);
    assert_eq!(told.dropped, dropped);
    assert_eq!(told.content_type, "application/json");
}

#[test]
fn forms_are_told_to_each_vendor() {
    let edit = |model: &str, more: &[(&str, &str)], pictures: &[&str], upstream: Api| {
        let fields = [&[("model", model), ("prompt", "p"), ("n", "2"), ("size", "1024x1024")], more].concat();
        of_form(Api::OpenaiImageEdits, &form(&fields, pictures), upstream)
    };
    let inline = |index: u8| json!({"inlineData": {"mimeType": "image/webp", "data": format!("<{index}>")}});
    check(
        edit("m", &[("input_fidelity", "high")], &["image[]", "image[]", "mask"], Api::GeminiImages),
        json!({"contents": [{"role": "user", "parts": [inline(0), inline(1), {"text": "p"}]}],
               "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "1:1"}}}),
        &["mask", "n", "input_fidelity"],
    );
    check(
        edit("m", &[("user", "u")], &["image"], Api::XaiImageEdits),
        json!({"model": "m", "prompt": "p", "image": {"url": "data:image/webp;base64,<0>", "type": "image_url"}, "n": 2,
               "aspect_ratio": "1:1", "user": "u"}),
        &[],
    );
    check(
        edit("m", &[("steps", "4")], &["image"], Api::TogetherImages),
        json!({"model": "m", "prompt": "p", "image_url": "data:image/webp;base64,<0>", "width": 1024, "height": 1024, "n": 2,
               "steps": "4"}),
        &[],
    );
    let config = json!({"numberOfImages": 2});
    check(
        edit("nova", &[("mask_prompt", "the hat")], &["image"], Api::BedrockImages),
        json!({"taskType": "INPAINTING", "inPaintingParams": {"image": "<0>", "maskPrompt": "the hat", "text": "p"},
               "imageGenerationConfig": config}),
        &["size"],
    );
    check(
        edit(
            "nova",
            &[("mask_prompt", "the hat"), ("outPaintingMode", "PRECISE")],
            &["image"],
            Api::BedrockImages,
        ),
        json!({"taskType": "OUTPAINTING",
               "outPaintingParams": {"image": "<0>", "maskPrompt": "the hat", "outPaintingMode": "PRECISE", "text": "p"},
               "imageGenerationConfig": config}),
        &["size"],
    );
    check(
        edit("nova", &[], &["image", "mask"], Api::BedrockImages),
        json!({"taskType": "INPAINTING", "inPaintingParams": {"image": "<0>", "maskImage": "<Black File(1)>", "text": "p"},
               "imageGenerationConfig": config}),
        &["size"],
    );
    check(
        edit("nova", &[("outpainting_mode", "DEFAULT")], &["mask", "image"], Api::BedrockImages),
        json!({"taskType": "OUTPAINTING",
               "outPaintingParams": {"image": "<1>", "maskImage": "<White File(0)>", "outPaintingMode": "DEFAULT", "text": "p"},
               "imageGenerationConfig": config}),
        &["size"],
    );
    check(
        edit("stability.stable-image-inpaint-v1:0", &[], &["image", "mask"], Api::BedrockImages),
        json!({"prompt": "p", "image": "<0>", "mask": "<White File(1)>"}),
        &["n", "size"],
    );
    check(
        edit("nova", &[], &["image[]", "image[]"], Api::BedrockImages),
        json!({"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": ["<0>", "<1>"], "text": "p"},
               "imageGenerationConfig": {"numberOfImages": 2, "width": 1024, "height": 1024}}),
        &[],
    );
    check(
        edit("stability.sd3-5-large-v1:0", &[], &["image"], Api::BedrockImages),
        json!({"prompt": "p", "image": "<0>", "mode": "image-to-image", "strength": 0.5}),
        &["n", "size"],
    );
    check(
        edit(
            "us.stability.stable-image-search-replace-v1:0",
            &[("search_prompt", "cat")],
            &["image"],
            Api::BedrockImages,
        ),
        json!({"prompt": "p", "image": "<0>", "search_prompt": "cat"}),
        &["n", "size"],
    );
}

#[test]
fn variations_need_no_words() {
    let form = form(&[("model", "m"), ("response_format", "b64_json")], &["image"]);
    let vary = |upstream| of_form(Api::OpenaiImageVariations, &form, upstream);
    check(
        vary(Api::BedrockImages),
        json!({"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": ["<0>"]},
               "imageGenerationConfig": {"numberOfImages": 1}}),
        &[],
    );
    let body = json_of(&vary(Api::GeminiImages).unwrap());
    assert_eq!(body["contents"][0]["parts"][1], json!({"text": "Make a variation of this image."}));
}

#[test]
fn json_names_pictures_by_address_or_holds_them() {
    let body = |image: Value| json!({"model": "m", "prompt": "p", "images": [image]});
    let url = json!({"url": PNG, "type": "image_url"});
    for image in [json!({"image_url": PNG}), json!({"url": PNG}), json!(PNG)] {
        assert_eq!(json_of(&of_json(&body(image), Api::XaiImageEdits).unwrap())["image"], url);
    }
    let inline = json_of(&of_json(&body(json!({"image_url": PNG})), Api::GeminiImages).unwrap());
    assert_eq!(
        inline["contents"][0]["parts"][0]["inlineData"],
        json!({"mimeType": "image/png", "data": "aGk="})
    );
}

#[test]
fn pictures_at_addresses_are_fetched_for_whoever_does_not() {
    let address = "https://i.example/a.png";
    let body = json!({"model": "m", "prompt": "p", "images": [{"image_url": address}]}).to_string();
    let asked = Asked {
        api: Api::OpenaiImageEdits,
        path_model: "",
        model: None,
        body: body.as_bytes(),
        inputs_max: None,
    };
    let remotes = |upstream| (TRANSLATOR.remotes)(asked, None, upstream).unwrap().len();
    assert_eq!((remotes(Api::GeminiImages), remotes(Api::XaiImageEdits)), (1, 0));
    let file = File { content_type: None, bytes: b"\xff\xd8\xff".to_vec() };
    let told = |files: &Files| told(Api::OpenaiImageEdits, body.as_bytes(), None, files, Api::GeminiImages);
    let body = json_of(&told(&Files::from([(address.to_owned(), Ok(file.into()))])).unwrap());
    assert_eq!(
        body["contents"][0]["parts"][0]["inlineData"],
        json!({"mimeType": "image/jpeg", "data": "/9j/"})
    );
    let page = File { content_type: None, bytes: b"<html>".to_vec() };
    let missing = Unfetched { why: "was not there".to_owned(), detail: Some("dns".to_owned()) };
    for (outcome, word) in [(Ok(page.into()), "is no image"), (Err(missing), "was not there")] {
        let fault = told(&Files::from([(address.to_owned(), outcome)])).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("image")));
        assert!(fault.message.contains(word), "{fault}");
    }
}

#[test]
fn faults_name_the_field() {
    let edit = |fields: &[(&str, &str)], pictures: &[&str], upstream| {
        of_form(Api::OpenaiImageEdits, &form(fields, pictures), upstream).unwrap_err()
    };
    let [model, prompt] = [("model", "m"), ("prompt", "p")];
    let json = |more: Value| {
        let mut body = json!({"model": "m", "prompt": "p"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        of_json(&body, Api::GeminiImages).unwrap_err()
    };
    for (fault, param) in [
        (edit(&[model], &["image"], Api::GeminiImages), "prompt"),
        (edit(&[model, prompt], &[], Api::GeminiImages), "image"),
        (edit(&[model, prompt, ("image", "x")], &[], Api::GeminiImages), "image"),
        (edit(&[model, prompt], &["image", "mask", "mask[]"], Api::GeminiImages), "mask"),
        (edit(&[("model", "stability.sd3"), prompt], &["image", "mask"], Api::BedrockImages), "mask"),
        (edit(&[model, prompt, ("mask_prompt", "x")], &["image", "image"], Api::BedrockImages), "image"),
        (edit(&[model, prompt, ("n", "two")], &["image"], Api::GeminiImages), "n"),
        (edit(&[model, prompt, ("stream", "true")], &["image"], Api::GeminiImages), "stream"),
        (edit(&[prompt], &["image"], Api::GeminiImages), "model"),
        (json(json!({"images": [{"file_id": "file-1"}]})), "images[0]"),
        (json(json!({"images": [{}]})), "images[0]"),
        (json(json!({"images": ["ftp://x"]})), "images[0]"),
        (json(json!({"image": {"url": "data:image/png,x"}})), "image.url"),
        (json(json!({"image": 1})), "image"),
    ] {
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)), "{fault}");
    }
}

/// What a client writes is never taken for a mark of a file.
#[test]
fn marks_cannot_be_written_by_clients() {
    let words = "\u{1}0\u{1} \\u00010\\u0001 <0>";
    let form = form(&[("model", "m"), ("prompt", words)], &["image"]);
    let told = of_form(Api::OpenaiImageEdits, &form, Api::GeminiImages).unwrap();
    assert_eq!(told.body.iter().filter(|piece| matches!(piece, Piece::Base64(_))).count(), 1);
    assert_eq!(json_of(&told)["contents"][0]["parts"][1]["text"], json!(words));
    let media = form_with_media("image/\"},{\"x\":\"");
    let told = of_form(Api::OpenaiImageEdits, &media, Api::XaiImageEdits).unwrap();
    assert_eq!(json_of(&told)["image"]["url"], json!("data:image/png;base64,<0>"));
}

fn form_with_media(media: &str) -> Form {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; \
         name=\"prompt\"\r\n\r\np\r\n--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\nContent-Type: \
         {media}\r\n\r\nbytes\r\n--b--\r\n"
    );
    let mut decoder = Decoder::new("b");
    decoder.push(body.as_bytes(), &mut |_, _| {}).unwrap();
    decoder.finish().unwrap()
}

#[test]
fn bodies_of_the_vendors_own_form_are_relayed() {
    let check = |body: Value, fits: bool| {
        let text = body.to_string();
        let document = Document::parse_to(text.as_bytes(), 1).unwrap();
        assert_eq!(Api::OpenaiImageEdits.fits(Api::XaiImageEdits, document.root()), fits, "{body}");
        assert!(!Api::OpenaiImageEdits.fits(Api::GeminiImages, document.root()), "{body}");
    };
    check(json!({"prompt": "p", "image": {"url": PNG, "type": "image_url"}}), true);
    check(json!({"prompt": "p", "images": [{"url": PNG, "type": "image_url"}]}), true);
    check(json!({"prompt": "p", "images": [{"image_url": PNG}]}), false);
    check(json!({"prompt": "p", "image": "url"}), false);
    check(json!({"prompt": "p", "image": {"filename": "\"url\""}}), false);
    check(json!({"prompt": "p"}), false);
}

#[test]
fn imagen_edits_with_the_model_that_does() {
    let edit = |model: &str, more: &[(&str, &str)], pictures: &[&str]| {
        let fields = [&[("model", model), ("prompt", "p")], more].concat();
        of_form(Api::OpenaiImageEdits, &form(&fields, pictures), Api::ImagenPredict)
    };
    let editor = "imagen-3.0-capability-001";
    let raw = json!({"referenceType": "REFERENCE_TYPE_RAW", "referenceId": 1, "referenceImage": {"bytesBase64Encoded": "<0>"}});
    check(
        edit(editor, &[("n", "2"), ("size", "1024x1536")], &["image"]),
        json!({"instances": [{"prompt": "p", "referenceImages": [raw]}],
               "parameters": {"editMode": "EDIT_MODE_DEFAULT", "sampleCount": 2}}),
        &["size"],
    );
    check(
        edit(editor, &[("editMode", "EDIT_MODE_BGSWAP")], &["image"]),
        json!({"instances": [{"prompt": "p", "referenceImages": [raw]}],
               "parameters": {"sampleCount": 1, "editMode": "EDIT_MODE_BGSWAP"}}),
        &[],
    );
    let masked = edit(editor, &[], &["image", "mask"]).unwrap();
    let text = text(&masked);
    assert!(
        text.contains("MASK_MODE_USER_PROVIDED") && text.contains("EDIT_MODE_INPAINT_INSERTION"),
        "{text}"
    );
    assert!(masked.body.iter().any(|piece| matches!(piece, Piece::Mask(_))), "{text}");
    let fault = edit("imagen-4.0-generate-001", &[], &["image"]).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("model")));
    let fault = edit(editor, &[], &["image[]", "image[]"]).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("image")));
}

#[test]
fn recraft_has_a_place_for_each_kind_of_edit() {
    let edit = |more: &[(&str, &str)], pictures: &[&str]| {
        let fields = [&[("model", "recraftv3"), ("prompt", "p"), ("size", "1024x1024")], more].concat();
        of_form(Api::OpenaiImageEdits, &form(&fields, pictures), Api::RecraftImages)
    };
    let text = |told: &Told| {
        let bytes = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => format!("<{other:?}>"),
        };
        told.body.iter().map(bytes).collect::<String>()
    };
    let told = edit(&[("n", "2"), ("style", "digital_illustration")], &["image"]).unwrap();
    assert_eq!((told.in_path.as_str(), told.dropped.as_slice()), ("imageToImage", &["size".to_owned()][..]));
    let said = text(&told);
    for (name, value) in [
        ("model", "recraftv3"),
        ("prompt", "p"),
        ("strength", "0.5"),
        ("n", "2"),
        ("style", "digital_illustration"),
    ] {
        assert!(said.contains(&format!("name=\"{name}\"\r\n\r\n{value}\r\n")), "{name}: {said}");
    }
    assert!(!text(&edit(&[("strength", "0.2")], &["image"]).unwrap()).contains("0.5"));
    let told = edit(&[], &["image", "mask"]).unwrap();
    assert_eq!(told.in_path, "inpaint");
    assert!(
        told.body.iter().any(|piece| matches!(piece, Piece::Mask(_))) && !text(&told).contains("strength")
    );
    let fault = edit(&[], &["image[]", "image[]"]).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("image")));
    // The vendor has a model of its own choice.
    let of_none = form(&[("prompt", "p")], &["image"]);
    let told = of_form(Api::OpenaiImageEdits, &of_none, Api::RecraftImages).unwrap();
    assert!(told.in_path == "imageToImage" && !text(&told).contains("name=\"model\""), "{told:?}");
}
