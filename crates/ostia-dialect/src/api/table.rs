//! Every API as a row.

use super::row::{
    batches_of, bound, embeddings_of, fine_tunes_of, images_of, images_of_images, invoked, objects_of,
    of_model, passed, rerank_of, speech_of, transcription_of, transcripts,
};
use super::{Answers, Api, Operation, OutputBound, Path, Required, Row};
use crate::fault::Family;
use crate::frame::{Framing, Grammar};
use crate::json::Kind;
use crate::{
    Dialect, batches, embeddings, fine_tuning, images, moderation, ocr, rerank, speech, transcription,
};

/// Messages, and at least one.
const MESSAGES: Required = Required::List { field: "messages", item: "message" };
/// What an answer with embeddings of Google's holds: one vector, or several.
const VECTORS: &[(&str, Kind)] = &[("embedding", Kind::Object), ("embeddings", Kind::Array)];

/// How the ids of profiles begin that spread a model over regions. Tokens are counted by the model
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>, `modelId`;
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>).
const REGIONS: [&str; 8] = ["apac.", "au.", "ca.", "eu.", "global.", "jp.", "us-gov.", "us."];

/// How many APIs there are.
pub(super) const COUNT: usize = 88;

/// Every API, in the order of the enum.
pub(super) static TABLE: [Row; COUNT] = [
    Row {
        is_understood: true,
        grammar: Grammar::OpenaiChat,
        answer_fields: &[("choices", Kind::Array)],
        needs_items: true,
        required: MESSAGES,
        output_bound: bound(&["max_completion_tokens", "max_tokens"]),
        ..passed(
            Api::OpenaiChat,
            "openai_chat",
            "chat",
            Operation::Conversation(Dialect::OpenaiChat),
            "/chat/completions",
        )
    },
    Row {
        is_understood: true,
        grammar: Grammar::OpenaiResponses,
        answer_fields: &[("output", Kind::Array)],
        tells_failure: true,
        output_bound: bound(&["max_output_tokens"]),
        ..passed(
            Api::OpenaiResponses,
            "openai_responses",
            "responses",
            Operation::Conversation(Dialect::OpenaiResponses),
            "/responses",
        )
    },
    Row {
        is_understood: true,
        answer_fields: &[("input_tokens", Kind::Number)],
        ..passed(
            Api::OpenaiInputTokens,
            "openai_input_tokens",
            "token count",
            Operation::CountTokens(Dialect::OpenaiResponses),
            "/responses/input_tokens",
        )
    },
    Row {
        is_understood: true,
        is_copied: true,
        grammar: Grammar::OpenaiCompletions,
        answer_fields: &[("choices", Kind::Array)],
        needs_items: true,
        output_bound: bound(&["max_tokens"]),
        ..passed(
            Api::OpenaiCompletions,
            "openai_completions",
            "completions",
            Operation::Completion,
            "/completions",
        )
    },
    Row {
        is_understood: true,
        is_copied: true,
        answer_fields: &[("data", Kind::Array)],
        translator: Some(&embeddings::TRANSLATOR),
        required: Required::Field("input"),
        fits: Some(embeddings::fits),
        ..passed(
            Api::OpenaiEmbeddings,
            "openai_embeddings",
            "embeddings",
            Operation::Embeddings(embeddings::Dialect::Openai),
            "/embeddings",
        )
    },
    Row {
        is_understood: true,
        is_copied: true,
        answer_fields: &[("data", Kind::Array)],
        media_translator: Some(&images::TRANSLATOR),
        required: Required::Field("prompt"),
        // <https://platform.openai.com/docs/api-reference/images/create>
        has_default_model: true,
        fits: Some(images::fits),
        ..passed(Api::OpenaiImages, "openai_images", "images", Operation::Images, "/images/generations")
    },
    Row {
        required: Required::Field("prompt"),
        fits: Some(images::edits_fit),
        ..images_of_images(
            Api::OpenaiImageEdits,
            "openai_image_edits",
            Operation::ImageEdits,
            "/images/edits",
        )
    },
    images_of_images(
        Api::OpenaiImageVariations,
        "openai_image_variations",
        Operation::ImageVariations,
        "/images/variations",
    ),
    Row {
        is_understood: true,
        is_copied: true,
        answers: Answers::Bytes,
        // <https://platform.openai.com/docs/api-reference/audio/createSpeech>
        stream_field: ("stream_format", "sse"),
        media_translator: Some(&speech::TRANSLATOR),
        required: Required::Field("input"),
        ..passed(Api::OpenaiSpeech, "openai_speech", "speech", Operation::Speech, "/audio/speech")
    },
    transcripts(
        Api::OpenaiTranscriptions,
        "openai_transcriptions",
        Operation::Transcription,
        "/audio/transcriptions",
    ),
    transcripts(
        Api::OpenaiTranslations,
        "openai_translations",
        Operation::Translation,
        "/audio/translations",
    ),
    Row {
        is_understood: true,
        is_copied: true,
        answer_fields: &[("results", Kind::Array)],
        translator: Some(&moderation::TRANSLATOR),
        required: Required::Field("input"),
        // <https://platform.openai.com/docs/api-reference/moderations/create>
        has_default_model: true,
        by_chat: Some(&moderation::BY_CHAT),
        ..passed(
            Api::OpenaiModerations,
            "openai_moderations",
            "moderation",
            Operation::Moderation(moderation::Dialect::Openai),
            "/moderations",
        )
    },
    passed(Api::OpenaiFiles, "openai_files", "files", Operation::Files, "/files"),
    passed(Api::OpenaiBatches, "openai_batches", "batches", Operation::Batches, "/batches"),
    passed(
        Api::OpenaiFineTunes,
        "openai_fine_tunes",
        "fine-tuning",
        Operation::FineTunes,
        "/fine_tuning/jobs",
    ),
    passed(Api::OpenaiRealtime, "openai_realtime", "realtime", Operation::Realtime, "/realtime"),
    Row {
        family: Family::Anthropic,
        is_understood: true,
        grammar: Grammar::AnthropicMessages,
        answer_fields: &[("content", Kind::Array)],
        required: MESSAGES,
        // <https://docs.claude.com/en/api/messages>
        output_bound: OutputBound { is_required: true, ..bound(&["max_tokens"]) },
        ..passed(
            Api::AnthropicMessages,
            "anthropic_messages",
            "messages",
            Operation::Conversation(Dialect::AnthropicMessages),
            "/messages",
        )
    },
    Row {
        family: Family::Anthropic,
        is_understood: true,
        answer_fields: &[("input_tokens", Kind::Number)],
        ..passed(
            Api::AnthropicCountTokens,
            "anthropic_count_tokens",
            "token count",
            Operation::CountTokens(Dialect::AnthropicMessages),
            "/messages/count_tokens",
        )
    },
    Row {
        family: Family::Anthropic,
        batches: Some(&batches::ANTHROPIC),
        ..passed(
            Api::AnthropicBatches,
            "anthropic_batches",
            "batches",
            Operation::Batches,
            "/messages/batches",
        )
    },
    Row {
        path: Path::OfModel { verb: "generateContent", stream_verb: Some("streamGenerateContent") },
        grammar: Grammar::GeminiGenerate,
        framing: Framing::JsonArray,
        // A prompt that is refused has no candidates.
        answer_fields: &[("candidates", Kind::Array), ("promptFeedback", Kind::Object)],
        // <https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>; its JSON has both spellings of every name
        // (<https://protobuf.dev/programming-guides/json/>).
        output_bound: OutputBound {
            objects: &["generationConfig", "generation_config"],
            ..bound(&["maxOutputTokens", "max_output_tokens"])
        },
        ..of_model(
            Api::GeminiGenerate,
            "gemini_generate",
            "gemini",
            Operation::Conversation(Dialect::GeminiGenerate),
            "generateContent",
        )
    },
    Row {
        answer_fields: &[("totalTokens", Kind::Number)],
        ..of_model(
            Api::GeminiCountTokens,
            "gemini_count_tokens",
            "token count",
            Operation::CountTokens(Dialect::GeminiGenerate),
            "countTokens",
        )
    },
    Row {
        answer_fields: VECTORS,
        translator: Some(&embeddings::TRANSLATOR),
        ..of_model(
            Api::GeminiEmbed,
            "gemini_embed",
            "embeddings",
            Operation::Embeddings(embeddings::Dialect::Gemini),
            "embedContent",
        )
    },
    Row {
        answer_fields: VECTORS,
        translator: Some(&embeddings::TRANSLATOR),
        ..of_model(
            Api::GeminiBatchEmbed,
            "gemini_batch_embed",
            "embeddings",
            Operation::Embeddings(embeddings::Dialect::GeminiBatch),
            "batchEmbedContents",
        )
    },
    Row {
        gateway_path: None,
        answer_fields: &[("message", Kind::Object)],
        ..passed(
            Api::CohereChat,
            "cohere_chat",
            "cohere chat",
            Operation::Conversation(Dialect::CohereChat),
            "/v2/chat",
        )
    },
    Row {
        gateway_path: None,
        framing: Framing::JsonLines,
        answer_fields: &[("message", Kind::Object)],
        // <https://docs.ollama.com/modelfile#parameter>
        output_bound: OutputBound { objects: &["options"], ..bound(&["num_predict"]) },
        ..passed(
            Api::OllamaChat,
            "ollama_chat",
            "ollama chat",
            Operation::Conversation(Dialect::OllamaChat),
            "/api/chat",
        )
    },
    Row {
        gateway_path: None,
        path: Path::WithModelPath("/models/{model}/predictions"),
        answer_fields: &[("output", Kind::Array), ("output", Kind::String)],
        job: Some(&images::REPLICATE_JOB),
        ..passed(
            Api::ReplicateText,
            "replicate_text",
            "predictions",
            Operation::Conversation(Dialect::ReplicateText),
            "",
        )
    },
    Row {
        gateway_path: None,
        answer_fields: &[("embeddings", Kind::Object), ("embeddings", Kind::Array)],
        translator: Some(&embeddings::TRANSLATOR),
        ..passed(
            Api::CohereEmbed,
            "cohere_embed",
            "embeddings",
            Operation::Embeddings(embeddings::Dialect::Cohere),
            "/v2/embed",
        )
    },
    Row {
        family: Family::Google,
        gateway_path: None,
        answer_fields: &[("predictions", Kind::Array)],
        translator: Some(&embeddings::TRANSLATOR),
        ..passed(
            Api::VertexPredict,
            "vertex_predict",
            "embeddings",
            Operation::Embeddings(embeddings::Dialect::VertexPredict),
            "/predict",
        )
    },
    Row {
        // Its SDK puts the version into the path, behind a host alone.
        gateway_path: None,
        is_understood: true,
        answer_fields: &[("results", Kind::Array)],
        required: Required::Field("documents"),
        translator: Some(&rerank::TRANSLATOR),
        ..passed(
            Api::CohereRerank,
            "cohere_rerank",
            "rerank",
            Operation::Rerank(rerank::Dialect::Cohere),
            "/v2/rerank",
        )
    },
    Row {
        gateway_path: None,
        path: Path::WithModel {
            path: "/model/{model}/converse",
            stream_path: Some("/model/{model}/converse-stream"),
            without: &[],
        },
        framing: Framing::AwsEventStream,
        answer_fields: &[("output", Kind::Object)],
        ..passed(
            Api::BedrockConverse,
            "bedrock_converse",
            "bedrock converse",
            Operation::Conversation(Dialect::BedrockConverse),
            "",
        )
    },
    Row {
        gateway_path: None,
        path: Path::WithModel { path: "/model/{model}/count-tokens", stream_path: None, without: &REGIONS },
        answer_fields: &[("inputTokens", Kind::Number)],
        ..passed(
            Api::BedrockCountTokens,
            "bedrock_count_tokens",
            "token count",
            Operation::CountTokens(Dialect::BedrockConverse),
            "",
        )
    },
    Row {
        gateway_path: None,
        path: Path::WithModel { path: "/model/{model}/count-tokens", stream_path: None, without: &REGIONS },
        answer_fields: &[("inputTokens", Kind::Number)],
        ..passed(
            Api::BedrockCountInvoke,
            "bedrock_count_invoke",
            "token count",
            Operation::CountTokens(Dialect::AnthropicMessages),
            "",
        )
    },
    invoked(
        Api::TitanTextEmbed,
        "titan_text_embed",
        embeddings::Dialect::TitanText,
        &[("embedding", Kind::Array)],
    ),
    invoked(
        Api::TitanImageEmbed,
        "titan_image_embed",
        embeddings::Dialect::TitanImage,
        &[("embedding", Kind::Array)],
    ),
    invoked(
        Api::CohereInvokeEmbed,
        "cohere_invoke_embed",
        embeddings::Dialect::CohereInvoke,
        &[("embeddings", Kind::Array), ("embeddings", Kind::Object)],
    ),
    invoked(Api::NovaEmbed, "nova_embed", embeddings::Dialect::Nova, &[("embeddings", Kind::Array)]),
    Row {
        is_understood: true,
        is_copied: true,
        answer_fields: &[("results", Kind::Array)],
        required: Required::Field("documents"),
        translator: Some(&rerank::TRANSLATOR),
        meant: Some(rerank::meant),
        fits: Some(rerank::fits),
        ..passed(
            Api::JinaRerank,
            "jina_rerank",
            "rerank",
            Operation::Rerank(rerank::Dialect::Jina),
            "/rerank",
        )
    },
    Row {
        // Clients find it at the path of the row before.
        gateway_path: None,
        is_copied: true,
        answer_fields: &[("data", Kind::Array)],
        required: Required::Field("documents"),
        translator: Some(&rerank::TRANSLATOR),
        ..passed(
            Api::VoyageRerank,
            "voyage_rerank",
            "rerank",
            Operation::Rerank(rerank::Dialect::Voyage),
            "/rerank",
        )
    },
    Row {
        path: Path::WithModel { path: "/model/{model}/invoke", stream_path: None, without: &[] },
        answer_fields: &[("results", Kind::Array)],
        ..rerank_of(Api::BedrockRerank, "bedrock_rerank", rerank::Dialect::Bedrock, "")
    },
    Row {
        answer_fields: &[("rankings", Kind::Array)],
        ..rerank_of(Api::NvidiaRerank, "nvidia_rerank", rerank::Dialect::Nvidia, "/ranking")
    },
    Row {
        answer_fields: &[("data", Kind::Array)],
        ..rerank_of(Api::PineconeRerank, "pinecone_rerank", rerank::Dialect::Pinecone, "/rerank")
    },
    Row {
        answer_fields: &[("records", Kind::Array)],
        ..rerank_of(Api::VertexRerank, "vertex_rerank", rerank::Dialect::Vertex, "/rank")
    },
    embeddings_of(Api::JinaEmbeddings, "jina_embeddings", embeddings::Dialect::Jina, "/embeddings"),
    embeddings_of(Api::MistralEmbeddings, "mistral_embeddings", embeddings::Dialect::Mistral, "/embeddings"),
    Row {
        answer_fields: &[("embeddings", Kind::Array)],
        ..embeddings_of(
            Api::NomicEmbeddings,
            "nomic_embeddings",
            embeddings::Dialect::Nomic,
            "/embedding/text",
        )
    },
    embeddings_of(Api::VoyageEmbeddings, "voyage_embeddings", embeddings::Dialect::Voyage, "/embeddings"),
    embeddings_of(
        Api::VoyageMultimodal,
        "voyage_multimodal",
        embeddings::Dialect::VoyageMultimodal,
        "/multimodalembeddings",
    ),
    embeddings_of(Api::CortexEmbed, "cortex_embed", embeddings::Dialect::Cortex, "/cortex/inference:embed"),
    Row {
        gateway_path: None,
        answer_fields: &[("results", Kind::Array)],
        ..passed(
            Api::MistralModerations,
            "mistral_moderations",
            "moderation",
            Operation::Moderation(moderation::Dialect::Mistral),
            "/moderations",
        )
    },
    Row {
        gateway_path: None,
        answer_fields: &[("results", Kind::Array)],
        ..passed(
            Api::MistralChatModerations,
            "mistral_chat_moderations",
            "moderation",
            Operation::Moderation(moderation::Dialect::MistralChat),
            "/chat/moderations",
        )
    },
    Row {
        is_understood: true,
        is_copied: true,
        answer_fields: &[("pages", Kind::Array)],
        // <https://docs.mistral.ai/api/endpoint/ocr>
        required: Required::Field("document"),
        media_translator: Some(&ocr::TRANSLATOR),
        by_chat: Some(&ocr::BY_CHAT),
        ..passed(Api::MistralOcr, "mistral_ocr", "ocr", Operation::Ocr, "/ocr")
    },
    Row {
        gateway_path: None,
        path: Path::WithModel {
            path: "/documentintelligence/documentModels/{model}:analyze",
            stream_path: None,
            without: &[],
        },
        answer_fields: &[("analyzeResult", Kind::Object)],
        job: Some(&ocr::AZURE_JOB),
        ..passed(Api::AzureAnalyze, "azure_analyze", "ocr", Operation::Ocr, "")
    },
    Row {
        answer_fields: &[("data", Kind::Array)],
        ..images_of(Api::TogetherImages, "together_images", "/images/generations")
    },
    Row {
        family: Family::Google,
        path: Path::WithModel {
            path: "/v1beta/models/{model}:generateContent",
            stream_path: None,
            without: &[],
        },
        answer_fields: &[("candidates", Kind::Array), ("promptFeedback", Kind::Object)],
        ..images_of(Api::GeminiImages, "gemini_images", "")
    },
    Row {
        family: Family::Google,
        path: Path::WithModel { path: "/v1beta/models/{model}:predict", stream_path: None, without: &[] },
        answer_fields: &[("predictions", Kind::Array)],
        ..images_of(Api::ImagenPredict, "imagen_predict", "")
    },
    Row {
        path: Path::WithModel { path: "/model/{model}/invoke", stream_path: None, without: &[] },
        // Amazon's say in `error` why there is none.
        answer_fields: &[("images", Kind::Array), ("error", Kind::String)],
        ..images_of(Api::BedrockImages, "bedrock_images", "")
    },
    Row {
        answer_fields: &[("data", Kind::Array)],
        ..images_of(Api::XaiImageEdits, "xai_image_edits", "/images/edits")
    },
    Row {
        // What stands for the model is what is asked for.
        path: Path::WithModel { path: "/images/{model}", stream_path: None, without: &[] },
        answer_fields: &[("data", Kind::Array)],
        ..images_of(Api::RecraftImages, "recraft_images", "")
    },
    Row {
        path: Path::WithModel { path: "/v1/{model}", stream_path: None, without: &[] },
        answer_fields: &[("result", Kind::Object)],
        job: Some(&images::BFL_JOB),
        ..images_of(Api::BflImages, "bfl_images", "")
    },
    Row {
        path: Path::WithModelPath("/{model}"),
        answer_fields: &[("images", Kind::Array), ("image", Kind::Object)],
        job: Some(&images::FAL_JOB),
        ..images_of(Api::FalImages, "fal_images", "")
    },
    Row {
        path: Path::WithModelPath("/models/{model}/predictions"),
        answer_fields: &[("output", Kind::Array), ("output", Kind::String)],
        job: Some(&images::REPLICATE_JOB),
        ..images_of(Api::ReplicatePredictions, "replicate_predictions", "")
    },
    Row {
        path: Path::WithModelPath("/workflows/{model}/text_to_image"),
        answer_fields: &[("base64", Kind::Array), ("finishReason", Kind::String)],
        ..images_of(Api::FireworksImages, "fireworks_images", "")
    },
    Row {
        path: Path::WithModelPath("/v2beta/stable-image/{model}"),
        answer_fields: &[("image", Kind::String), ("finish_reason", Kind::String)],
        ..images_of(Api::StabilityImages, "stability_images", "")
    },
    Row {
        path: Path::WithModel { path: "/{model}", stream_path: None, without: &[] },
        answer_fields: &[("image", Kind::String)],
        ..images_of(Api::SegmindImages, "segmind_images", "")
    },
    Row {
        answers: Answers::Json,
        answer_fields: &[("audio_data", Kind::String)],
        ..speech_of(Api::MistralSpeech, "mistral_speech", "/audio/speech")
    },
    Row {
        // What stands for the model is the voice.
        path: Path::WithModel { path: "/text-to-speech/{model}", stream_path: None, without: &[] },
        ..speech_of(Api::ElevenlabsSpeech, "elevenlabs_speech", "")
    },
    speech_of(Api::DeepgramSpeak, "deepgram_speak", "/speak"),
    speech_of(Api::CartesiaBytes, "cartesia_bytes", "/tts/bytes"),
    transcription_of(Api::ElevenlabsTranscription, "elevenlabs_transcription", "/speech-to-text"),
    Row {
        answer_fields: &[("results", Kind::Object)],
        ..transcription_of(Api::DeepgramListen, "deepgram_listen", "/listen")
    },
    transcription_of(Api::XaiTranscription, "xai_transcription", "/stt"),
    transcription_of(Api::CohereTranscription, "cohere_transcription", "/v2/audio/transcriptions"),
    Row {
        answer_fields: &[("status", Kind::String)],
        job: Some(&transcription::ASSEMBLYAI_JOB),
        ..transcription_of(Api::AssemblyaiTranscripts, "assemblyai_transcripts", "/v2/transcript")
    },
    Row {
        family: Family::Google,
        path: Path::WithModel {
            path: "/v1beta/models/{model}:batchGenerateContent",
            stream_path: None,
            without: &[],
        },
        gateway_path: None,
        batches: Some(&batches::GEMINI),
        ..passed(Api::GeminiBatches, "gemini_batches", "batches", Operation::Batches, "")
    },
    batches_of(Api::MistralBatches, "mistral_batches", &batches::MISTRAL, "/batch/jobs"),
    batches_of(Api::XaiBatches, "xai_batches", &batches::XAI, "/batches"),
    batches_of(Api::TogetherBatches, "together_batches", &batches::TOGETHER, "/batches"),
    batches_of(Api::FireworksBatches, "fireworks_batches", &batches::FIREWORKS, ""),
    batches_of(Api::CohereBatches, "cohere_batches", &batches::COHERE, "/v2/batches"),
    batches_of(Api::BedrockBatches, "bedrock_batches", &batches::BEDROCK, "/model-invocation-job"),
    objects_of(Api::S3Objects, "s3_objects"),
    batches_of(Api::VertexBatches, "vertex_batches", &batches::VERTEX, ""),
    objects_of(Api::GcsObjects, "gcs_objects"),
    fine_tunes_of(Api::TogetherFineTunes, "together_fine_tunes", &fine_tuning::TOGETHER, "/fine-tunes"),
    fine_tunes_of(Api::FireworksFineTunes, "fireworks_fine_tunes", &fine_tuning::FIREWORKS, ""),
    fine_tunes_of(Api::VertexFineTunes, "vertex_fine_tunes", &fine_tuning::VERTEX, ""),
    fine_tunes_of(
        Api::BedrockFineTunes,
        "bedrock_fine_tunes",
        &fine_tuning::BEDROCK,
        "/model-customization-jobs",
    ),
    Row {
        path: Path::WithModelPath("/workflows/{model}"),
        answer_fields: &[("result", Kind::Object)],
        job: Some(&images::FIREWORKS_JOB),
        ..images_of(Api::FireworksKontext, "fireworks_kontext", "")
    },
];

// Every look-up is by the place of a row.
const _: () = {
    let mut at = 0;
    while at < COUNT {
        assert!(TABLE[at].api as usize == at, "the rows are not in the order of the enum");
        at += 1;
    }
};
