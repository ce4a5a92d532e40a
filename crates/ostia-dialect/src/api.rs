//! The APIs that a provider can have, and the one table of all that is known of each: what it is for, where it is, whose
//! errors its clients expect, how its streams are cut and how they end, by what its answers are recognised.
//!
//! A new API is a variant and a row. Nothing else in the gateway lists them: whoever wants to know something of an API asks
//! here, and what differs between two of them is a field of the row.

mod answer;
pub mod by_chat;
mod index;
pub mod job;
mod media;
mod row;
mod table;
#[cfg(test)]
mod tests;
mod translator;

pub use media::{MediaAnswer, MediaReader, MediaTranslator, Passing, Read, Told, no_remotes};
pub use translator::{Answer, Answered, Asked, Came, Reader, Translated, Translator};

use by_chat::ByChat;
use job::Job;
use table::{COUNT, TABLE};

use crate::batches::BatchForm;
use crate::fault::Family;
use crate::fine_tuning::TuningForm;
use crate::frame::{Framing, Grammar};
use crate::json::{Kind, Node};
use crate::{Dialect, embeddings, moderation, rerank};

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
    /// OpenAI image edits (multipart, or JSON).
    OpenaiImageEdits,
    /// OpenAI image variations (multipart).
    OpenaiImageVariations,
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
    /// Replicate's prediction of a language model.
    ReplicateText,
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
    /// Snowflake Cortex's embeddings of texts. Its path stands in the provider's row.
    CortexEmbed,
    /// Mistral's moderation of texts.
    MistralModerations,
    /// Mistral's moderation of conversations.
    MistralChatModerations,
    /// Mistral's OCR, which clouds have in the same form.
    MistralOcr,
    /// Azure's Document Intelligence: a job of one of its models.
    AzureAnalyze,
    /// Together's images: OpenAI's form with other words.
    TogetherImages,
    /// Google generateContent, asked for images.
    GeminiImages,
    /// Google's `predict` of Imagen.
    ImagenPredict,
    /// Amazon Bedrock's InvokeModel of a model that makes images.
    BedrockImages,
    /// xAI's edits of images: at OpenAI's path, in JSON of its own.
    XaiImageEdits,
    /// Recraft's edits of images (multipart).
    RecraftImages,
    /// Black Forest Labs' images: a job of a model.
    BflImages,
    /// fal's queue of a model that makes images.
    FalImages,
    /// Replicate's prediction of a model that makes images.
    ReplicatePredictions,
    /// Fireworks' workflow of a model that makes images.
    FireworksImages,
    /// Stability's services for images (multipart).
    StabilityImages,
    /// Segmind's models that make images.
    SegmindImages,
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
    /// AssemblyAI's speech to text: a job, of a recording that is uploaded before.
    AssemblyaiTranscripts,
    /// Google's batches of generateContent.
    GeminiBatches,
    /// Mistral's batch jobs.
    MistralBatches,
    /// xAI's batches.
    XaiBatches,
    /// Together's batches.
    TogetherBatches,
    /// Fireworks' batch inference jobs, and the datasets that they read and write: all of an account.
    FireworksBatches,
    /// Cohere's batches.
    CohereBatches,
    /// Amazon Bedrock's model invocation jobs.
    BedrockBatches,
    /// Objects in Amazon S3.
    S3Objects,
    /// Vertex AI's batch prediction jobs. Their path names project and place, and stands in the provider's row.
    VertexBatches,
    /// Objects in Google Cloud Storage.
    GcsObjects,
    /// Together's fine-tuning jobs.
    TogetherFineTunes,
    /// Fireworks' fine-tuning jobs: all of an account.
    FireworksFineTunes,
    /// Vertex AI's tuning jobs. Their path names project and place, and stands in the provider's row.
    VertexFineTunes,
    /// Amazon Bedrock's model customization jobs.
    BedrockFineTunes,
    /// Fireworks' models that make an image of words and another one: a job.
    FireworksKontext,
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
    /// Images from words.
    Images,
    /// Images from images, and words that say what is to change.
    ImageEdits,
    /// Images that are like another one.
    ImageVariations,
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
    /// At a path in which `{model}` stands for the model's id, whose slashes are those of the path.
    WithModelPath(&'static str),
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
    job: Option<&'static Job>,
    by_chat: Option<&'static ByChat>,
    batches: Option<&'static BatchForm>,
    fine_tuning: Option<&'static TuningForm>,
}

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

    /// How its answer is come by, where it answers a submit with a job.
    pub fn job(self) -> Option<&'static Job> {
        self.row().job
    }

    /// How a model does it that only converses, where one can.
    pub fn by_chat(self) -> Option<&'static ByChat> {
        self.row().by_chat
    }

    /// What its batches are like, where these are a vendor's own and not in OpenAI's form.
    pub fn batches(self) -> Option<&'static BatchForm> {
        self.row().batches
    }

    /// What its jobs that train models are like, where these are a vendor's own and not in OpenAI's form.
    pub fn fine_tuning(self) -> Option<&'static TuningForm> {
        self.row().fine_tuning
    }

    /// The API of this name.
    pub fn from_name(name: &str) -> Option<Api> {
        Api::ALL.into_iter().find(|api| api.name() == name)
    }
}
