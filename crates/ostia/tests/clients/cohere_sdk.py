"""Cohere's SDK (cohere): https://docs.cohere.com/reference. Rankings in front of whoever ranks; all else is the vendor's own, by the proxy."""

import cohere
import httpx

from cases import TIMEOUT_S, case, equal, is_streamed, run


def connect(gateway, headers):
    def at(base_url):
        return cohere.ClientV2(
            api_key="pk-gateway", base_url=base_url, httpx_client=httpx.Client(headers=headers, timeout=TIMEOUT_S)
        )

    return at(gateway), at(f"{gateway}/v1/proxy")


@case
def rankings(clients, model):
    told = clients[0].rerank(model=model, query="What is a panda?", documents=["A bird.", "A bear."], top_n=1)
    equal([(result.index, result.relevance_score) for result in told.results], [(1, 0.75)])


@case(at=("cohere",))
def the_vendors_own(clients, model):
    own = clients[1]
    messages = [{"role": "user", "content": "Hello"}]
    equal(own.chat(model="command-a-03-2025", messages=messages).message.content[0].text, "Hi there")
    events = own.chat_stream(model="command-a-03-2025", messages=messages)
    pieces = [event.delta.message.content.text for event in events if event.type == "content-delta"]
    is_streamed(pieces, "Hi there")
    told = own.embed(model="embed-v4.0", input_type="search_query", texts=["Hello"], embedding_types=["float"])
    equal(told.embeddings.float_, [[0.5, 0.25]])


run(connect)
