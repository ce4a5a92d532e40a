//! The APIs that a provider can have, and the one table of all that is known of each: what it is for, where it is, whose
//! errors its clients expect, how its streams are cut and how they end, by what its answers are recognised.
//!
//! A new API is a variant and a row. Nothing else in the gateway lists them: whoever wants to know something of an API asks
//! here, and what differs between two of them is a field of the row.

mod answer;
mod index;
mod media;
#[cfg(test)]
mod tests;
mod translator;

pub use media::{MediaAnswer, MediaReader, MediaTranslator, Passing, Told};
pub use translator::{Answer, Asked, Came, Reader, Translated, Translator};

use crate::fault::Family;
use crate::frame::{Framing, Grammar};
use crate::json::{Kind, Node};
use crate::{Dialect, embeddings, images, moderation, rerank, speech, transcription};

/// One API of one vendor's making: a path and the shape of what is sent there. Many providers copy OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// OpenAI Chat Completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// OpenAI's count of the tokens of a Responses request.
    OpenaiInputTokens,
    /// OpenAI's older text completions.
    OpenaiCompletions,
    /// OpenAI embeddings.
    OpenaiEmbeddings,
    /// OpenAI image generation.
    OpenaiImages,
    /// OpenAI image edits (multipart).
    OpenaiImageEdits,
    /// OpenAI text to speech.
    OpenaiSpeech,
    /// OpenAI speech to text (multipart).
    OpenaiTranscriptions,
    /// OpenAI speech to English text (multipart).
    OpenaiTranslations,
    /// OpenAI moderation.
    OpenaiModerations,
    /// OpenAI files.
    OpenaiFiles,
    /// OpenAI batches.
    OpenaiBatches,
    /// OpenAI fine-tuning jobs.
    OpenaiFineTunes,
    /// OpenAI realtime (WebSocket).
    OpenaiRealtime,
    /// Anthropic Messages.
    AnthropicMessages,
    /// Anthropic token counting.
    AnthropicCountTokens,
    /// Anthropic message batches.
    AnthropicBatches,
    /// Google generateContent.
    GeminiGenerate,
    /// Google token counting.
    GeminiCountTokens,
    /// Google embedding of one content.
    GeminiEmbed,
    /// Google embedding of several contents.
    GeminiBatchEmbed,
    /// Cohere Chat, version 2.
    CohereChat,
    /// Ollama's own chat.
    OllamaChat,
    /// Cohere Embed, version 2.
    CohereEmbed,
    /// Vertex AI's embeddings by `predict`. Its path names project, place and model, and stands in the provider's row.
    VertexPredict,
    /// Cohere Rerank, version 2.
    CohereRerank,
    /// Amazon Bedrock Converse, and ConverseStream.
    BedrockConverse,
    /// Amazon Bedrock's token counting.
    BedrockCountTokens,
    /// The same for a request as InvokeModel takes it: here one of Messages.
    BedrockCountInvoke,
    /// Titan's text embeddings, over InvokeModel.
    TitanTextEmbed,
    /// Titan's multimodal embeddings, over InvokeModel.
    TitanImageEmbed,
    /// Cohere's embeddings, over InvokeModel.
    CohereInvokeEmbed,
    /// Nova's multimodal embeddings, over InvokeModel.
    NovaEmbed,
    /// Jina's rerank, which vLLM, llama.cpp and others copy: like Cohere's, at the OpenAI-style path.
    JinaRerank,
    /// Voyage's rerank: `top_k` for `top_n`, `data` for `results`.
    VoyageRerank,
    /// Amazon Bedrock's InvokeModel of a model that ranks.
    BedrockRerank,
    /// NVIDIA's ranking of passages.
    NvidiaRerank,
    /// Pinecone's rerank.
    PineconeRerank,
    /// Google's ranking of records, by Vertex AI Search.
    VertexRerank,
    /// Jina's embeddings: OpenAI's form, with what vectors are for, and images.
    JinaEmbeddings,
    /// Mistral's embeddings: OpenAI's form with other names.
    MistralEmbeddings,
    /// Nomic's embeddings of texts.
    NomicEmbeddings,
    /// Voyage's embeddings: OpenAI's form with other names.
    VoyageEmbeddings,
    /// Voyage's embeddings of texts and images together.
    VoyageMultimodal,
    /// Mistral's moderation of texts.
    MistralModerations,
    /// Mistral's moderation of conversations.
    MistralChatModerations,
    /// Mistral's OCR, which clouds have in the same form.
    MistralOcr,
    /// Together's images: OpenAI's form with other words.
    TogetherImages,
    /// Google generateContent, asked for images.
    GeminiImages,
    /// Google's `predict` of Imagen.
    ImagenPredict,
    /// Amazon Bedrock's InvokeModel of a model that makes images.
    BedrockImages,
    /// Mistral's speech: at OpenAI's path, with the sound in JSON.
    MistralSpeech,
    /// ElevenLabs' speech.
    ElevenlabsSpeech,
    /// Deepgram's speech.
    DeepgramSpeak,
    /// Cartesia's speech.
    CartesiaBytes,
    /// ElevenLabs' speech to text (multipart).
    ElevenlabsTranscription,
    /// Deepgram's speech to text: the recording is the body.
    DeepgramListen,
    /// xAI's speech to text (multipart).
    XaiTranscription,
    /// Cohere's speech to text (multipart): like OpenAI's, with nothing but the text.
    CohereTranscription,
}

/// What is asked for, whichever vendor's API it is asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The next turn of a conversation, in this dialect.
    Conversation(Dialect),
    /// How many tokens a conversation in this dialect has.
    CountTokens(Dialect),
    /// A text, gone on with.
    Completion,
    /// Texts and images as vectors, in this dialect.
    Embeddings(embeddings::Dialect),
    /// Images from words, in this dialect.
    Images(images::Dialect),
    /// Images from images.
    ImageEdits,
    /// Speech from text.
    Speech,
    /// Text from speech.
    Transcription,
    /// English text from speech.
    Translation,
    /// Whether a text is harmful, in this dialect.
    Moderation(moderation::Dialect),
    /// The text of a document.
    Ocr,
    /// Documents, the most fitting first, in this dialect.
    Rerank(rerank::Dialect),
    /// Files that a provider keeps.
    Files,
    /// Many calls in one file, answered later.
    Batches,
    /// Training of a model of one's own.
    FineTunes,
    /// A conversation by voice, over one connection.
    Realtime,
}

/// Where an API is at its vendor, after base URL and prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// At the same path for every model.
    Fixed(&'static str),
    /// `models/{model}:{verb}` (<https://ai.google.dev/api/generate-content>).
    OfModel {
        /// What stands behind the colon.
        verb: &'static str,
        /// The same for an answer that is streamed.
        stream_verb: Option<&'static str>,
    },
    /// At a path in which `{model}` stands for the model's id, as one segment.
    WithModel {
        /// The path.
        path: &'static str,
        /// The same for an answer that is streamed.
        stream_path: Option<&'static str>,
        /// Beginnings of ids that are left out, because this API knows the model by its own id alone.
        without: &'static [&'static str],
    },
}

/// What a call makes no sense without, besides the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Nothing that is checked here.
    Nothing,
    /// A field.
    Field(&'static str),
    /// A list that is not empty.
    List {
        /// The field that holds it.
        field: &'static str,
        /// What one of its items is called.
        item: &'static str,
    },
}

/// Where a request says how many tokens its answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputBound {
    /// The object that holds it, by each of its names; none where it stands at the top.
    pub objects: &'static [&'static str],
    /// The field, by each of its names, the preferred one first. None: the answer has no bound.
    pub fields: &'static [&'static str],
    /// The vendor refuses a request that does not say it.
    pub is_required: bool,
}

/// What the whole answers of an API are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// JSON.
    Json,
    /// Bytes, such as sounds.
    Bytes,
    /// JSON, and texts where the request's `response_format` is one of these. Models that cannot stream answer so too where a
    /// stream was asked for (<https://platform.openai.com/docs/api-reference/audio/createTranscription>, `stream`).
    JsonOrText(&'static [&'static str]),
}

/// All that is known of one API. The methods of the same names say what each field means.
struct Row {
    api: Api,
    name: &'static str,
    word: &'static str,
    operation: Operation,
    family: Family,
    path: Path,
    gateway_path: Option<&'static str>,
    is_understood: bool,
    is_copied: bool,
    grammar: Grammar,
    framing: Framing,
    answer_fields: &'static [(&'static str, Kind)],
    needs_items: bool,
    tells_failure: bool,
    required: Required,
    has_default_model: bool,
    output_bound: OutputBound,
    translator: Option<&'static Translator>,
    meant: Option<fn(Node<'_>) -> Api>,
    fits: Option<fn(Api, Node<'_>) -> bool>,
    input_tokens_header: Option<&'static str>,
    media_translator: Option<&'static MediaTranslator>,
    takes_forms: bool,
    answers: Answers,
    stream_field: (&'static str, &'static str),
}

/// An API that is handed on unread: at this path here and at its vendor, with OpenAI's errors.
const fn passed(
    api: Api,
    name: &'static str,
    word: &'static str,
    operation: Operation,
    path: &'static str,
) -> Row {
    Row {
        api,
        name,
        word,
        operation,
        family: Family::Openai,
        path: Path::Fixed(path),
        gateway_path: Some(path),
        is_understood: false,
        is_copied: false,
        grammar: Grammar::Unknown,
        framing: Framing::Sse,
        answer_fields: &[],
        needs_items: false,
        tells_failure: false,
        required: Required::Nothing,
        has_default_model: false,
        output_bound: bound(&[]),
        translator: None,
        meant: None,
        fits: None,
        input_tokens_header: None,
        media_translator: None,
        takes_forms: false,
        answers: Answers::Json,
        stream_field: ("stream", "true"),
    }
}

/// One of Google's, with the model in the path, that the gateway understands.
const fn of_model(
    api: Api,
    name: &'static str,
    word: &'static str,
    operation: Operation,
    verb: &'static str,
) -> Row {
    Row {
        family: Family::Google,
        path: Path::OfModel { verb, stream_verb: None },
        gateway_path: None,
        is_understood: true,
        ..passed(api, name, word, operation, "")
    }
}

/// One by which only providers are asked to rank.
const fn rerank_of(api: Api, name: &'static str, dialect: rerank::Dialect, path: &'static str) -> Row {
    Row { gateway_path: None, ..passed(api, name, "rerank", Operation::Rerank(dialect), path) }
}

/// One of Bedrock's models that embeds, over InvokeModel
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>).
const fn invoked(
    api: Api,
    name: &'static str,
    dialect: embeddings::Dialect,
    answer_fields: &'static [(&'static str, Kind)],
) -> Row {
    Row {
        gateway_path: None,
        path: Path::WithModel { path: "/model/{model}/invoke", stream_path: None, without: &[] },
        answer_fields,
        translator: Some(&embeddings::TRANSLATOR),
        input_tokens_header: Some("x-amzn-bedrock-input-token-count"),
        ..passed(api, name, "embeddings", Operation::Embeddings(dialect), "")
    }
}

/// One by which only providers are asked for images.
const fn images_of(api: Api, name: &'static str, dialect: images::Dialect, path: &'static str) -> Row {
    Row { gateway_path: None, ..passed(api, name, "images", Operation::Images(dialect), path) }
}

/// One by which only providers are asked for embeddings.
const fn embeddings_of(
    api: Api,
    name: &'static str,
    dialect: embeddings::Dialect,
    path: &'static str,
) -> Row {
    Row {
        gateway_path: None,
        answer_fields: &[("data", Kind::Array)],
        translator: Some(&embeddings::TRANSLATOR),
        ..passed(api, name, "embeddings", Operation::Embeddings(dialect), path)
    }
}

/// A form with a recording, of which a text is made.
const fn transcripts(api: Api, name: &'static str, operation: Operation, path: &'static str) -> Row {
    Row {
        is_understood: true,
        is_copied: true,
        takes_forms: true,
        media_translator: Some(&transcription::TRANSLATOR),
        answers: Answers::JsonOrText(&["text", "srt", "vtt"]),
        answer_fields: &[("text", Kind::String)],
        ..passed(api, name, "transcription", operation, path)
    }
}

/// A vendor's own way to ask for speech.
const fn speech(api: Api, name: &'static str, path: &'static str) -> Row {
    Row {
        gateway_path: None,
        answers: Answers::Bytes,
        ..passed(api, name, "speech", Operation::Speech, path)
    }
}

/// A vendor's own way to ask for text from speech.
const fn heard(api: Api, name: &'static str, path: &'static str) -> Row {
    Row {
        gateway_path: None,
        answer_fields: &[("text", Kind::String)],
        ..passed(api, name, "transcription", Operation::Transcription, path)
    }
}

/// Messages, and at least one.
const MESSAGES: Required = Required::List { field: "messages", item: "message" };
/// What an answer with embeddings of Google's holds: one vector, or several.
const VECTORS: &[(&str, Kind)] = &[("embedding", Kind::Object), ("embeddings", Kind::Array)];

/// How the ids of profiles begin that spread a model over regions. Tokens are counted by the model
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>, `modelId`;
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>).
const REGIONS: [&str; 8] = ["apac.", "au.", "ca.", "eu.", "global.", "jp.", "us-gov.", "us."];

/// A bound in fields at the top of the body.
const fn bound(fields: &'static [&'static str]) -> OutputBound {
    OutputBound { objects: &[], fields, is_required: false }
}

/// How many APIs there are.
const COUNT: usize = 60;

/// Every API, in the order of the enum.
static TABLE: [Row; COUNT] = [
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
        translator: Some(&images::TRANSLATOR),
        required: Required::Field("prompt"),
        // <https://platform.openai.com/docs/api-reference/images/create>
        has_default_model: true,
        fits: Some(images::fits),
        ..passed(
            Api::OpenaiImages,
            "openai_images",
            "images",
            Operation::Images(images::Dialect::Openai),
            "/images/generations",
        )
    },
    passed(Api::OpenaiImageEdits, "openai_image_edits", "images", Operation::ImageEdits, "/images/edits"),
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
        ..passed(Api::MistralOcr, "mistral_ocr", "ocr", Operation::Ocr, "/ocr")
    },
    Row {
        answer_fields: &[("data", Kind::Array)],
        ..images_of(Api::TogetherImages, "together_images", images::Dialect::Together, "/images/generations")
    },
    Row {
        family: Family::Google,
        path: Path::WithModel {
            path: "/v1beta/models/{model}:generateContent",
            stream_path: None,
            without: &[],
        },
        answer_fields: &[("candidates", Kind::Array), ("promptFeedback", Kind::Object)],
        ..images_of(Api::GeminiImages, "gemini_images", images::Dialect::Gemini, "")
    },
    Row {
        family: Family::Google,
        path: Path::WithModel { path: "/v1beta/models/{model}:predict", stream_path: None, without: &[] },
        answer_fields: &[("predictions", Kind::Array)],
        ..images_of(Api::ImagenPredict, "imagen_predict", images::Dialect::Imagen, "")
    },
    Row {
        path: Path::WithModel { path: "/model/{model}/invoke", stream_path: None, without: &[] },
        // Amazon's say in `error` why there is none.
        answer_fields: &[("images", Kind::Array), ("error", Kind::String)],
        ..images_of(Api::BedrockImages, "bedrock_images", images::Dialect::Bedrock, "")
    },
    Row {
        answers: Answers::Json,
        answer_fields: &[("audio_data", Kind::String)],
        ..speech(Api::MistralSpeech, "mistral_speech", "/audio/speech")
    },
    Row {
        // What stands for the model is the voice.
        path: Path::WithModel { path: "/text-to-speech/{model}", stream_path: None, without: &[] },
        ..speech(Api::ElevenlabsSpeech, "elevenlabs_speech", "")
    },
    speech(Api::DeepgramSpeak, "deepgram_speak", "/speak"),
    speech(Api::CartesiaBytes, "cartesia_bytes", "/tts/bytes"),
    heard(Api::ElevenlabsTranscription, "elevenlabs_transcription", "/speech-to-text"),
    Row {
        answer_fields: &[("results", Kind::Object)],
        ..heard(Api::DeepgramListen, "deepgram_listen", "/listen")
    },
    heard(Api::XaiTranscription, "xai_transcription", "/stt"),
    heard(Api::CohereTranscription, "cohere_transcription", "/v2/audio/transcriptions"),
];

// Every look-up is by the place of a row.
const _: () = {
    let mut at = 0;
    while at < COUNT {
        assert!(TABLE[at].api as usize == at, "the rows are not in the order of the enum");
        at += 1;
    }
};

impl Api {
    /// Every API, in the order of the enum.
    pub const ALL: [Api; COUNT] = index::all();

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The name in the rows of providers, and in reports.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What people read in the table of providers. Several APIs may share a word.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// What it is for.
    pub fn operation(self) -> Operation {
        self.row().operation
    }

    /// The conversation dialect that is spoken there; `None` for what is no conversation.
    pub fn dialect(self) -> Option<Dialect> {
        match self.operation() {
            Operation::Conversation(dialect) => Some(dialect),
            _ => None,
        }
    }

    /// The dialect of the conversations whose tokens are counted there; `None` where nothing is counted.
    pub fn counts(self) -> Option<Dialect> {
        match self.operation() {
            Operation::CountTokens(dialect) => Some(dialect),
            _ => None,
        }
    }

    /// Whose errors its clients understand.
    pub fn family(self) -> Family {
        self.row().family
    }

    /// Where it is at its vendor.
    pub fn path(self) -> Path {
        self.row().path
    }

    /// Where clients find it below `/v1`; `None` where it has its vendor's path only, as `/v2/rerank`.
    pub fn gateway_path(self) -> Option<&'static str> {
        self.row().gateway_path
    }

    /// Does the gateway read what clients send there, by `POST`? All others are handed on unread.
    pub fn is_understood(self) -> bool {
        self.row().is_understood
    }

    /// May a server that copies OpenAI's chat have copied it, although its row does not say so?
    pub fn is_copied(self) -> bool {
        self.row().is_copied
    }

    /// How its streams say that they are whole. Those of speech, transcripts or images have ends of their vendors' own.
    pub fn grammar(self) -> Grammar {
        self.row().grammar
    }

    /// How it streams. `asks_for_events`: its caller does so where the API leaves the choice, as the gateway itself does.
    /// Google's streams as one growing array to all others
    /// (<https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).
    ///
    /// ```
    /// use ostia_dialect::{Api, frame::Framing};
    /// assert_eq!(Api::OpenaiChat.framing(false), Framing::Sse);
    /// assert_eq!(Api::GeminiGenerate.framing(false), Framing::JsonArray);
    /// assert_eq!(Api::GeminiGenerate.framing(true), Framing::Sse);
    /// ```
    pub fn framing(self, asks_for_events: bool) -> Framing {
        match self.row().framing {
            Framing::JsonArray if asks_for_events => Framing::Sse,
            framing => framing,
        }
    }

    /// The fields of which a whole answer has one at least, and of what kind they are; none where nothing is known of it.
    pub fn answer_fields(self) -> &'static [(&'static str, Kind)] {
        self.row().answer_fields
    }

    /// Is an empty list no answer? Of messages and contents that say nothing it is one; there is always a first choice.
    pub fn needs_items(self) -> bool {
        self.row().needs_items
    }

    /// May a whole answer say that it is a failure?
    pub fn tells_failure(self) -> bool {
        self.row().tells_failure
    }

    /// What a call makes no sense without, besides the model.
    pub fn required(self) -> Required {
        self.row().required
    }

    /// May a request leave the model to the vendor?
    pub fn has_default_model(self) -> bool {
        self.row().has_default_model
    }

    /// Where a request says how many tokens its answer may have.
    pub fn output_bound(self) -> OutputBound {
        self.row().output_bound
    }

    /// How it is told in another vendor's form, where its answers come in one piece and it can be.
    pub fn translator(self) -> Option<&'static Translator> {
        self.row().translator
    }

    /// The API that a client means by this body, where the forms of several vendors come to one path.
    pub fn meant_by(self, body: Node<'_>) -> Api {
        self.row().meant.map_or(self, |meant| meant(body))
    }

    /// Does a body in this API, and its answer, mean the same in the upstream's, so that it need not be told anew?
    pub fn fits(self, upstream: Api, body: Node<'_>) -> bool {
        self.row().fits.is_some_and(|fits| fits(upstream, body))
    }

    /// The header of a whole answer that tells how many tokens the input had, where the body may not.
    pub fn input_tokens_header(self) -> Option<&'static str> {
        self.row().input_tokens_header
    }

    /// The same where requests or answers are more than JSON, or streamed.
    pub fn media_translator(self) -> Option<&'static MediaTranslator> {
        self.row().media_translator
    }

    /// Are requests forms with files?
    pub fn takes_forms(self) -> bool {
        self.row().takes_forms
    }

    /// What whole answers are.
    pub fn answers(self) -> Answers {
        self.row().answers
    }

    /// The field by which a request asks for a stream, and the text that does so.
    pub fn stream_field(self) -> (&'static str, &'static str) {
        self.row().stream_field
    }

    /// The API of this name.
    pub fn from_name(name: &str) -> Option<Api> {
        Api::ALL.into_iter().find(|api| api.name() == name)
    }
}
