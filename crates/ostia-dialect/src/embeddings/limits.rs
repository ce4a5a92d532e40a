//! What models that embed take: how many inputs a call may have (a longer list becomes several calls, whose answers are one), and
//! which of them have the older form of their dialect.

use super::Dialect;
use crate::limits::Limit;

/// One row.
struct Row {
    dialect: Dialect,
    /// What is in the names of the models; empty: all.
    model: &'static str,
    most: Limit<usize>,
    /// It takes the older form of the dialect: no length of vectors, and fewer fields.
    is_older: bool,
}

const fn row(dialect: Dialect, model: &'static str, takes: usize, source: &'static str) -> Row {
    Row { dialect, model, most: Limit { takes, source }, is_older: false }
}

const fn older(dialect: Dialect, model: &'static str, takes: usize, source: &'static str) -> Row {
    Row { is_older: true, ..row(dialect, model, takes, source) }
}

/// The first that fits counts.
static TABLE: [Row; 11] = [
    older(
        Dialect::TitanText,
        "titan-embed-text-v1",
        1,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html (V1 Request)",
    ),
    older(
        Dialect::TitanText,
        "titan-embed-g1-text",
        1,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html (V1 Request)",
    ),
    older(
        Dialect::CohereInvoke,
        "-v3",
        96,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html (texts)",
    ),
    row(
        Dialect::TitanText,
        "",
        1,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html (inputText)",
    ),
    row(
        Dialect::TitanImage,
        "",
        1,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html (inputText)",
    ),
    row(
        Dialect::Nova,
        "",
        1,
        "https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html (singleEmbeddingParams)",
    ),
    row(
        Dialect::CohereInvoke,
        "",
        96,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html (texts, images)",
    ),
    row(Dialect::Cohere, "", 96, "https://docs.cohere.com/reference/embed (texts)"),
    row(Dialect::VertexPredict, "gemini-embedding", 1, "https://github.com/mem0ai/mem0/pull/6677"),
    row(
        Dialect::VertexPredict,
        "",
        250,
        "https://docs.cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings (input texts)",
    ),
    // "at most 100 requests can be in one batch"
    row(Dialect::GeminiBatch, "", 100, "https://github.com/langchain-ai/langchainjs/issues/4491"),
];

/// The most inputs of a call in this dialect to this model; `None` where no bound is known.
pub(super) fn inputs_max(dialect: Dialect, model: &str) -> Option<usize> {
    find(dialect, model).map(|row| row.most.takes)
}

/// Does this model take the older form of its dialect?
pub(super) fn is_older(dialect: Dialect, model: &str) -> bool {
    find(dialect, model).is_some_and(|row| row.is_older)
}

fn find(dialect: Dialect, model: &str) -> Option<&'static Row> {
    let dialect = if dialect == Dialect::Gemini { Dialect::GeminiBatch } else { dialect };
    TABLE.iter().find(|row| row.dialect == dialect && model.contains(row.model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_may_have() {
        let check = |dialect, model, expected| assert_eq!(inputs_max(dialect, model), expected, "{model}");
        check(Dialect::TitanText, "amazon.titan-embed-text-v2:0", Some(1));
        check(Dialect::VertexPredict, "gemini-embedding-001", Some(1));
        check(Dialect::VertexPredict, "text-embedding-005", Some(250));
        check(Dialect::Gemini, "gemini-embedding-001", Some(100));
        check(Dialect::Openai, "text-embedding-3-small", None);
        for row in &TABLE {
            assert!(row.most.takes > 0 && row.most.source.starts_with("https://"), "{}", row.most.source);
        }
    }
}
