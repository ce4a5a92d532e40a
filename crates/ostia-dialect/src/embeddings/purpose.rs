//! What vectors are for: every vendor has words of its own for the same few purposes, and a client may use anybody's.

/// What vectors are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To search with.
    Query,
    /// To be found.
    Document,
    /// To be sorted into classes.
    Classification,
    /// To be told apart.
    Clustering,
    /// To be compared with each other.
    Similarity,
}

impl Purpose {
    /// The purpose by any vendor's word:
    /// - Cohere: <https://docs.cohere.com/reference/embed>, `input_type`
    /// - Google: <https://ai.google.dev/api/embeddings#tasktype>
    /// - Jina: <https://api.jina.ai/redoc#tag/embeddings>, `task`
    /// - Voyage: <https://docs.voyageai.com/reference/embeddings-api>, `input_type`
    /// - NVIDIA: <https://docs.api.nvidia.com/nim/reference/nvidia-nv-embedqa-e5-v5-infer>, `input_type`
    pub(super) fn of(word: &str) -> Option<Purpose> {
        Some(match word {
            "query" | "search_query" | "RETRIEVAL_QUERY" | "retrieval.query" => Purpose::Query,
            "document" | "passage" | "search_document" | "RETRIEVAL_DOCUMENT" | "retrieval.passage" => {
                Purpose::Document
            }
            "classification" | "CLASSIFICATION" => Purpose::Classification,
            "clustering" | "CLUSTERING" | "separation" => Purpose::Clustering,
            "SEMANTIC_SIMILARITY" | "text-matching" => Purpose::Similarity,
            _ => return None,
        })
    }
}
