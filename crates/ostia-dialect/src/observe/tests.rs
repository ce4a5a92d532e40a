//! What answers say that is charged for beside tokens: the same whether they are looked at whole, in pieces, decoded, or as streams.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::Meter::{
    AudioInputMs, BilledInput, BilledOutput, CodeSessions, EarlierCached, EarlierInput, EarlierOutput,
    FileSearches, ImageGenerations, InputCharacters, InputImages, MapSearches, OtherModels, OtherTools,
    OutputImages, Pages, Queries, ToolPrompt, WebSearches,
};
use crate::json::Document;
use crate::{Api, Decoder, Meter, Metered, Usage, frame::sse::Framer};

fn metered(observed: &Observed) -> Vec<(Meter, u64)> {
    observed.usage().map(|usage| usage.metered.counts().collect()).unwrap_or_default()
}

/// Of a whole answer, however it is looked at.
fn check(api: Api, body: &str, expected: &[(Meter, u64)]) {
    let subject = Subject::of(api);
    assert_eq!(metered(&Observed::of_body(subject, body.as_bytes())), expected, "{body}");
    for cut in 0..=body.len() {
        let mut answer = WholeAnswer::new(subject);
        let (first, second) = body.as_bytes().split_at(cut);
        answer.push(first);
        answer.push(second);
        assert_eq!(metered(&answer.observed()), expected, "{cut}: {body}");
    }
    if let Some(dialect) = api.dialect() {
        let response = dialect.decode(body.as_bytes()).unwrap();
        assert_eq!(metered(&Observed::of_response(&response)), expected, "decoded: {body}");
    }
}

/// Of a stream of these events: relayed, wherever it is cut, and decoded.
fn check_stream(api: Api, events: &[&str], expected: &[(Meter, u64)]) {
    let stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    for cut in 0..=stream.len() {
        let mut watch = Watch::new(api.grammar());
        let mut window = Vec::new();
        for piece in [&stream.as_bytes()[..cut], &stream.as_bytes()[cut..]] {
            window.extend_from_slice(piece);
            let whole = watch.scan(&window).unwrap();
            window.drain(..whole);
        }
        watch.ending(&window).unwrap();
        assert_eq!(metered(watch.observed()), expected, "{cut}: {stream}");
    }
    let (mut decoder, mut framer) = (Decoder::new(api.dialect().unwrap()), Framer::default());
    let (mut told, mut observed) = (Vec::new(), Observed::default());
    framer.push(stream.as_bytes());
    while let Some(frame) = framer.next().unwrap() {
        decoder.push(frame, &mut told).unwrap();
    }
    decoder.finish(&mut told).unwrap();
    told.iter().for_each(|event| observed.event(event, true));
    observed.note_tools(decoder.tools());
    assert_eq!(metered(&observed), expected, "decoded: {stream}");
}

const ITEMS: [&str; 7] = [
    r#"{"id":"w1","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}}"#,
    r#"{"id":"w2","type":"web_search_call","status":"completed","action":{"type":"open_page","url":"u"}}"#,
    r#"{"id":"f","type":"file_search_call","status":"completed","queries":["a","b"],"results":null}"#,
    r#"{"id":"c","type":"code_interpreter_call","status":"completed","code":"\"web_search_call\"","container_id":"x"}"#,
    r#"{"id":"i","type":"image_generation_call","status":"completed","result":"aGk="}"#,
    r#"{"id":"m","type":"mcp_call","name":"n","arguments":"{}","server_label":"s"}"#,
    r#"{"id":"t","type":"function_call","call_id":"t","name":"web_search_call","arguments":"{}"}"#,
];

#[test]
fn tools_that_openai_runs() {
    let body = |items: &[&str], more: &str| {
        format!(
            r#"{{"id":"r","object":"response","status":"completed","model":"gpt-5","output":[{}],{more}
                "usage":{{"input_tokens":9,"output_tokens":2,"total_tokens":11}}}}"#,
            items.join(",")
        )
    };
    let all = [(WebSearches, 1), (FileSearches, 1), (CodeSessions, 1), (ImageGenerations, 1)];
    check(Api::OpenaiResponses, &body(&ITEMS, ""), &all);
    check(Api::OpenaiResponses, &body(&ITEMS[5..], ""), &[]);
    // A client's own fields say nothing.
    let metadata = r#""metadata":{"a":"web_search_call"},"tools":[{"type":"web_search"}],"#;
    check(Api::OpenaiResponses, &body(&ITEMS[6..], metadata), &[]);
    // What the vendor counts itself.
    let told = r#""tool_usage":{"web_search":{"num_requests":3}},"#;
    check(Api::OpenaiResponses, &body(&ITEMS[..1], told), &[(WebSearches, 3)]);
    let elsewhere = r#""metadata":{"web_search":{"num_requests":"4"}},"tool_usage":{"web_search":{"num_requests":0},"x":{"num_requests":5}},"#;
    check(Api::OpenaiResponses, &body(&ITEMS[..1], elsewhere), &[(WebSearches, 1)]);

    let done = ITEMS.iter().enumerate().map(|(at, item)| {
        format!(r#"{{"type":"response.output_item.done","output_index":{at},"item":{item}}}"#)
    });
    let done: Vec<String> = done.collect();
    for in_the_end in [&ITEMS[..], &[]] {
        let end = body(in_the_end, "").replace('\n', "");
        let end = format!(r#"{{"type":"response.completed","response":{end}}}"#);
        let mut events: Vec<&str> = done.iter().map(String::as_str).collect();
        events.push(&end);
        check_stream(Api::OpenaiResponses, &events, &all);
    }
}

#[test]
fn searches_for_a_chat() {
    let message = r#"{"role":"assistant","content":"x","annotations":[
        {"type":"url_citation","url_citation":{"url":"https://a","title":"t","start_index":0,"end_index":1}},
        {"type":"url_citation","url_citation":{"url":"https://b","title":"t","start_index":0,"end_index":1}}]}"#;
    let usage = r#""usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}"#;
    let body = |message: &str| {
        format!(
            r#"{{"id":"c","model":"m","choices":[{{"index":0,"message":{message},"finish_reason":"stop"}}],{usage}}}"#
        )
    };
    check(Api::OpenaiChat, &body(message), &[(WebSearches, 1)]);
    check(Api::OpenaiChat, &body(r#"{"role":"assistant","content":"\"url_citation\""}"#), &[]);
    let executed = r#"{"role":"assistant","content":"x","executed_tools":[{"type":"search"}]}"#;
    check(Api::OpenaiChat, &body(executed), &[(OtherTools, 1)]);
    let two = r#"{"role":"assistant","executed_tools":[{"index":0,"code_results":[{"a":{}}]},{"index":1,"output":"x"}],"content":"x","x":{"y":{}}}"#;
    check(Api::OpenaiChat, &body(two), &[(OtherTools, 2)]);
    for none in ["[]", "null"] {
        let message =
            format!(r#"{{"role":"assistant","executed_tools":{none},"content":"x","x":{{"y":{{}}}}}}"#);
        check(Api::OpenaiChat, &body(&message), &[]);
    }
    let delta = |delta: &str, finish: &str| {
        format!(
            r#"{{"id":"c","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#
        )
    };
    let (message, usage) = (message.replace('\n', ""), format!(r#"{{"id":"c","choices":[],{usage}}}"#));
    let (first, last) = (delta(r#"{"content":"a"}"#, "null"), delta(&message, "\"stop\""));
    check_stream(Api::OpenaiChat, &[first.as_str(), &last, &usage, "[DONE]"], &[(WebSearches, 1)]);
    // Told between words, and a tool twice: when it begins, and with what it gave.
    let (cites, words) = (delta(&message, "null"), delta(r#"{"content":"b"}"#, "null"));
    let ends = delta("{}", "\"stop\"");
    let middle = [first.as_str(), &words, &cites, &words, &ends, &usage, "[DONE]"];
    check_stream(Api::OpenaiChat, &middle, &[(WebSearches, 1)]);
    // Whose client asks for no usage.
    let uncounted = [first.as_str(), &words, &cites, &words, &ends, "[DONE]"];
    check_stream(Api::OpenaiChat, &uncounted, &[(WebSearches, 1)]);
    let tool = |index: u32, more: &str| {
        let tool = format!(r#"{{"index":{index},"type":"search","arguments":"{{}}"{more}}}"#);
        delta(&format!(r#"{{"executed_tools":[{tool}]}}"#), "null")
    };
    let given = r#","output":"Title: a","search_results":{"results":[]}"#;
    let begins = [tool(0, ""), tool(0, given), tool(1, ""), tool(1, given)];
    let mut events = vec![first.as_str(), &words];
    begins.iter().for_each(|told| events.extend([told.as_str(), &words]));
    events.extend([ends.as_str(), &usage, "[DONE]"]);
    check_stream(Api::OpenaiChat, &events, &[(OtherTools, 2)]);
}

#[test]
fn a_search_that_is_counted_and_cited_is_one() {
    let message = r#"{"role":"assistant","content":"x","annotations":[{"type":"url_citation","url_citation":{"url":"https://a"}}]}"#;
    for (told, expected) in [(1, 1), (3, 3), (0, 1)] {
        let usage = format!(
            r#""usage":{{"prompt_tokens":3,"completion_tokens":5,"server_tool_use_details":{{"web_search_requests":{told}}}}}"#
        );
        let choice = |name: &str, finish: &str| {
            format!(r#""choices":[{{"index":0,"{name}":{message},"finish_reason":{finish}}}]"#)
        };
        let body = format!(r#"{{"id":"c","model":"m",{},{usage}}}"#, choice("message", "\"stop\""));
        check(Api::OpenaiChat, &body, &[(WebSearches, expected)]);
        let cites = format!(r#"{{"id":"c","model":"m",{}}}"#, choice("delta", "\"stop\""));
        let usage = format!(r#"{{"id":"c","choices":[],{usage}}}"#);
        check_stream(Api::OpenaiChat, &[cites.as_str(), &usage, "[DONE]"], &[(WebSearches, expected)]);
    }
}

#[test]
fn turns_and_tools_of_anthropic() {
    let body = |content: &str, usage: &str| {
        format!(
            r#"{{"id":"m","type":"message","role":"assistant","model":"a","content":[{content}],"stop_reason":"end_turn","usage":{usage}}}"#
        )
    };
    let usage = r#"{"input_tokens":9,"output_tokens":2,"server_tool_use":{"web_search_requests":2}}"#;
    let code = r#"{"type":"server_tool_use","id":"s","name":"bash_code_execution","input":{}}"#;
    let direct =
        r#"{"type":"server_tool_use","id":"w","name":"web_search","input":{},"caller":{"type":"direct"}}"#;
    let by_code = r#"{"type":"server_tool_use","caller":{"type":"code_execution_20260120","tool_id":"s"},"id":"w","name":"web_search","input":{}}"#;
    check(Api::AnthropicMessages, &body(direct, usage), &[(WebSearches, 2)]);
    check(
        Api::AnthropicMessages,
        &body(&[code, direct].join(","), usage),
        &[(WebSearches, 2), (CodeSessions, 1)],
    );
    check(Api::AnthropicMessages, &body(&[code, by_code].join(","), usage), &[(WebSearches, 2)]);
    let used_by_client = r#"{"type":"tool_use","id":"t","name":"code_execution_of_mine","input":{}}"#;
    check(Api::AnthropicMessages, &body(used_by_client, r#"{"input_tokens":9,"output_tokens":2}"#), &[]);

    let iterations = r#"{"input_tokens":23000,"output_tokens":1000,"iterations":[
        {"type":"compaction","input_tokens":180000,"output_tokens":3500,"cache_read_input_tokens":10},
        {"type":"message","input_tokens":23000,"output_tokens":1000},
        {"type":"advisor_message","model":"b","input_tokens":800,"output_tokens":500}]}"#;
    let whole = body("", iterations);
    let earlier = [(EarlierInput, 180_010), (EarlierCached, 10), (EarlierOutput, 3500)];
    check(Api::AnthropicMessages, &whole, &[&earlier[..], &[(OtherModels, 1300)]].concat());
    let told = Observed::of_body(Subject::of(Api::AnthropicMessages), whole.as_bytes()).usage().unwrap();
    assert_eq!((told.prompt, told.completion, told.cached), (23_000, 1000, None));
    // Another model went on where one refused.
    let fell_back = r#"{"input_tokens":412,"output_tokens":264,"iterations":[
        {"type":"message","model":"a","input_tokens":408,"output_tokens":0},
        {"type":"fallback_message","model":"b","input_tokens":412,"output_tokens":264}]}"#;
    let told = Observed::of_body(Subject::of(Api::AnthropicMessages), body("", fell_back).as_bytes());
    assert_eq!((told.usage().unwrap().prompt, metered(&told)), (412, vec![(OtherModels, 408)]));

    let start = r#"{"type":"message_start","message":{"id":"m","model":"a","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#;
    let block = format!(r#"{{"type":"content_block_start","index":0,"content_block":{code}}}"#);
    let delta = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{}}}"#,
        iterations.replace('\n', "")
    );
    let events =
        [start, &block, r#"{"type":"content_block_stop","index":0}"#, &delta, r#"{"type":"message_stop"}"#];
    let all = [&earlier[..], &[(CodeSessions, 1), (OtherModels, 1300)]].concat();
    check_stream(Api::AnthropicMessages, &events, &all);
}

#[test]
fn searches_of_google() {
    let grounding = r#""groundingMetadata":{"webSearchQueries":["","a","b","a"],"groundingChunks":[{"web":{"uri":"https://a"}},{"maps":{"uri":"https://m"}}]}"#;
    let body = |model: &str, more: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"x"}}],"role":"model"}},"finishReason":"STOP","index":0{more}}}],
                "usageMetadata":{{"promptTokenCount":9,"candidatesTokenCount":2,"toolUsePromptTokenCount":30,"totalTokenCount":41}},
                "modelVersion":"{model}"}}"#
        )
    };
    let more = format!(",{grounding}");
    check(Api::GeminiGenerate, &body("gemini-3-flash", ""), &[(ToolPrompt, 30)]);
    let all = |searches| [(ToolPrompt, 30), (WebSearches, searches), (MapSearches, 1)];
    check(Api::GeminiGenerate, &body("gemini-3-flash", &more), &all(2));
    check(Api::GeminiGenerate, &body("gemini-2.5-flash", &more), &all(1));
    let long = "q".repeat(300);
    let queries = format!(
        r#","groundingMetadata":{{"webSearchQueries":["{long}","{long}","{long}r"],"groundingChunks":[]}}"#
    );
    check(Api::GeminiGenerate, &body("gemini-3-flash", &queries), &[(ToolPrompt, 30), (WebSearches, 2)]);
    // A stream that comes as one array has the model in its elements.
    let array = r#"[{"candidates":[{"index":0,"groundingMetadata":{"webSearchQueries":["a","b"]}}],"modelVersion":"gemini-2.5-flash"}]"#;
    let subject = Subject::of(Api::GeminiGenerate);
    let mut answer = WholeAnswer::new(subject);
    answer.push(array.as_bytes());
    for observed in [Observed::of_body(subject, array.as_bytes()), answer.observed()] {
        assert_eq!(metered(&observed), [(WebSearches, 1)]);
    }
    // A word is no map.
    let words = r#","groundingMetadata":{"webSearchQueries":["maps"],"groundingChunks":[{"web":{"title":"maps"}},{"maps":null}],"x":[{"maps":{}}]}"#;
    check(Api::GeminiGenerate, &body("gemini-3-flash", words), &[(ToolPrompt, 30), (WebSearches, 1)]);
    // Told before the end, and not again.
    let said =
        r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0}],"modelVersion":"gemini-3-flash"}"#;
    let told = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":"b"}}]}},"index":0,{grounding}}}],"usageMetadata":{{"promptTokenCount":9}}}}"#
    );
    let end = body("gemini-3-flash", "").replace('\n', "");
    check_stream(Api::GeminiGenerate, &[said, &told, said, &end], &all(2));
}

#[test]
fn what_is_no_conversation() {
    let images =
        r#"{"created":1,"data":[{"b64_json":"aGk="},{"url":"https://i","revised_prompt":"the \"url\""}]}"#;
    check(Api::OpenaiImages, images, &[(OutputImages, 2)]);
    check(Api::OpenaiImages, r#"{"data":[{"url":"","b64_json":"aGk="}]}"#, &[(OutputImages, 1)]);
    // By tokens, where those are told.
    let tokens = r#"{"data":[{"b64_json":"aGk="}],"usage":{"input_tokens":3,"output_tokens":272}}"#;
    check(Api::OpenaiImages, tokens, &[]);
    let charged = r#"{"data":[{"url":"https://i"}],"usage":{"cost_in_usd_ticks":700000000}}"#;
    check(Api::OpenaiImages, charged, &[(OutputImages, 1)]);
    let seconds = r#"{"text":"hi","usage":{"type":"duration","seconds":37}}"#;
    check(Api::OpenaiTranscriptions, seconds, &[(AudioInputMs, 37_000)]);
    let verbose =
        r#"{"task":"transcribe","duration":25.933313,"text":"\"duration\":1","segments":[{"start":0.0}]}"#;
    check(Api::OpenaiTranscriptions, verbose, &[(AudioInputMs, 25_933)]);
    let tokens = r#"{"text":"hi","usage":{"type":"tokens","input_tokens":37,"input_token_details":{"audio_tokens":30},"output_tokens":9}}"#;
    check(Api::OpenaiTranscriptions, tokens, &[]);
    let told = Observed::of_body(Subject::of(Api::OpenaiTranscriptions), tokens.as_bytes()).usage().unwrap();
    assert_eq!((told.prompt, told.audio_prompt), (37, Some(30)));
    let pages = r#"{"pages":[{"markdown":"x"}],"usage_info":{"pages_processed":3,"doc_size_bytes":18810}}"#;
    check(Api::MistralOcr, pages, &[(Pages, 3)]);
    let ranked =
        r#"{"results":[],"meta":{"billed_units":{"search_units":2},"tokens":{"input_tokens":214.0}}}"#;
    check(Api::CohereRerank, ranked, &[(Queries, 2)]);
    check(Api::JinaRerank, r#"{"results":[],"usage":{"total_tokens":43}}"#, &[]);
    for tokens in ["", r#""input_tokens":3,"#] {
        let vectors = format!(
            r#"{{"embeddings":{{"float":[[0.5]]}},"meta":{{"billed_units":{{{tokens}"images":2}}}}}}"#
        );
        check(Api::CohereEmbed, &vectors, &[(InputImages, 2)]);
    }
    let cohere = r#"{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"x"}]},
        "usage":{"billed_units":{"input_tokens":5,"output_tokens":418},"tokens":{"input_tokens":71,"output_tokens":418}}}"#;
    let response = crate::Dialect::CohereChat.decode(cohere.as_bytes()).unwrap();
    let told = Observed::of_response(&response);
    assert_eq!(metered(&told), [(BilledInput, 5), (BilledOutput, 418)]);
}

#[test]
fn how_images_are_asked_for() {
    let check = |api: Api, body: &str, expected: Option<[Option<&str>; 2]>| {
        let told = asked_for(api, Document::parse(body.as_bytes()).unwrap().root()).images;
        let told = told.as_ref().map(|told| [told.size.as_deref(), told.quality.as_deref()]);
        assert_eq!(told, expected, "{body}");
    };
    let [images, edits] = [Api::OpenaiImages, Api::OpenaiImageEdits];
    check(images, r#"{"prompt":"p"}"#, Some([None, None]));
    check(
        images,
        r#"{"prompt":"p","size":"1024x1792","quality":"hd"}"#,
        Some([Some("1024x1792"), Some("hd")]),
    );
    check(edits, r#"{"size":null,"quality":"low"}"#, Some([None, Some("low")]));
    // Other vendors' words, and those of a form, in which numbers are texts.
    check(images, r#"{"width":512,"height":768}"#, Some([Some("512x768"), None]));
    check(edits, r#"{"width":"512","height":"768"}"#, Some([Some("512x768"), None]));
    check(images, r#"{"width":512,"resolution":"2K"}"#, Some([Some("2K"), None]));
    check(images, r#"{"aspect_ratio":"16:9"}"#, Some([Some("16:9"), None]));
    let long = "9".repeat(70);
    check(images, &format!(r#"{{"size":"{long}"}}"#), Some([Some(&long[..64]), None]));
    check(Api::OpenaiChat, r#"{"size":"1x1"}"#, None);
}

#[test]
fn how_images_were_made() {
    let body = r#"{"created":1,"data":[{"b64_json":"aGk=","x":{"quality":""}}],"size":"1024x1536","quality":"high"}"#;
    let subject = Subject::of(Api::OpenaiImages);
    let expected = AskedImages { size: Some("1024x1536".into()), quality: Some("high".into()) };
    assert_eq!(Observed::of_body(subject, body.as_bytes()).images, expected);
    for at in 0..body.len() {
        let mut answer = WholeAnswer::new(subject);
        [&body[..at], &body[at..]].iter().for_each(|piece| answer.push(piece.as_bytes()));
        assert_eq!(answer.observed().images, expected, "split at {at}");
    }
    let chat = Observed::of_body(Subject::of(Api::OpenaiChat), body.as_bytes());
    assert_eq!(chat.images, AskedImages::default());
}

#[test]
fn what_a_request_says() {
    let told = |api, body: &str| asked_for(api, Document::parse(body.as_bytes()).unwrap().root());
    let spoken = told(Api::OpenaiSpeech, r#"{"input":"h\u00e9, \ud83d\ude00!","voice":"v"}"#);
    assert_eq!(spoken, AskedFor { characters: 6, ..AskedFor::default() });
    let of = |metered, prompt| Usage { metered, prompt, ..Usage::default() };
    assert_eq!(with_asked(Usage::default(), &spoken), Metered::one(InputCharacters, 6));
    assert_eq!(with_asked(of(Metered::default(), 9), &spoken), Metered::default(), "by tokens");
    let pages = Metered::one(Pages, 3);
    let plain = told(Api::MistralOcr, r#"{"document":{}}"#);
    let annotated =
        told(Api::MistralOcr, r#"{"document":{},"document_annotation_format":{"type":"json_schema"}}"#);
    assert_eq!(with_asked(of(pages, 0), &plain), pages);
    assert_eq!(with_asked(of(pages, 0), &annotated), Metered::one(Meter::AnnotatedPages, 3));
    assert_eq!(with_asked(Usage::default(), &annotated), Metered::default());
}

#[test]
fn words_of_a_stream_that_breaks_off_are_estimated() {
    let word = |text: &str| {
        format!(
            "data: {{\"id\":\"c\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    let stream: String =
        ["Some ", "words, ", "and many others ", "behind them."].iter().map(|text| word(text)).collect();
    let mut watch = Watch::new(crate::frame::Grammar::OpenaiChat);
    watch.scan(stream.as_bytes()).unwrap();
    assert_eq!(watch.observed().said_bytes, "Some words, and many others behind them.".len() as u64);
    // What is counted before the end is known too.
    let begun = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"a\",\"content\":[],\"usage\":{\"input_tokens\":90,\"output_tokens\":1}}}\n\n";
    let mut watch = Watch::new(crate::frame::Grammar::AnthropicMessages);
    watch.scan(begun.as_bytes()).unwrap();
    assert_eq!(watch.observed().usage().map(|usage| usage.prompt), Some(90));
}
