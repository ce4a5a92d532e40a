"""Voyage's SDK (voyageai): https://docs.voyageai.com/reference. It sends no headers of its own, so the model says whom to ask."""

import voyageai

from cases import TIMEOUT_S, case, equal, raises, run

# Who has vectors, besides the rankings that each is asked for, and how many tokens each counts.
VECTORS = {"voyage": ("voyage-3.5", 3), "cohere": ("embed-v4.0", 4)}


def connect(gateway, headers):
    client = voyageai.Client(api_key="pk-gateway", base_url=f"{gateway}/v1", timeout=TIMEOUT_S)
    return client, headers["x-ostia-provider"]


@case
def rankings(client, model):
    voyage, provider = client
    told = voyage.rerank("What is a panda?", ["A bird.", "A bear."], f"@{provider}/{model}", top_k=1)
    equal([(result.index, result.document, result.relevance_score) for result in told.results], [(1, "A bear.", 0.75)])


@case
def vectors(client, model):
    voyage, provider = client
    name, tokens = VECTORS[provider]
    told = voyage.embed(["Hello"], f"@{provider}/{name}", input_type="query")
    equal((told.embeddings, told.total_tokens), ([[0.5, 0.25]], tokens))


@case(at=("cohere",))
def errors(client, model):
    voyage, provider = client
    told = raises((voyageai.error.VoyageError,), lambda: voyage.embed([], f"@{provider}/{VECTORS[provider][0]}"))
    equal(told.http_status, 400)


run(connect)
