"""OpenAI's SDK (openai): https://github.com/openai/openai-python. Moderation by models that converse."""

import openai

from cases import TIMEOUT_S
from cases import case, equal, raises, run, true

# Who is told OpenAI's own categories; a guard has its own, and says nothing of those that it does not judge.
TOLD = ("at-messages",)
GUARDS = ("at-chat",)


def connect(gateway, headers):
    return openai.OpenAI(
        base_url=f"{gateway}/v1", api_key="sk-client", default_headers=headers, max_retries=0, timeout=TIMEOUT_S
    )


@case
def texts(client, model):
    answer = client.moderations.create(model=model, input=["a cake", "a bomb"])
    equal([result.flagged for result in answer.results], [False, True])
    bomb = answer.results[1]
    true(bomb.categories.illicit_violent, bomb)
    equal((bomb.category_scores.illicit_violent, bomb.category_scores.hate), (1, 0))


@case
def one_text(client, model):
    true(client.moderations.create(model=model, input="a bomb").results[0].flagged, "one text")


@case(at=TOLD)
def an_answer_that_the_sdk_holds_to_its_own_model(client, model):
    answer = client.moderations.create(model=model, input="a bomb")
    answer.results[0].categories.model_validate(answer.results[0].categories.model_dump(by_alias=True))
    answer.results[0].category_scores.model_validate(answer.results[0].category_scores.model_dump(by_alias=True))


@case(at=GUARDS)
def categories_of_its_own(client, model):
    categories = client.moderations.create(model=model, input="a bomb").results[0].categories
    true(categories.model_extra["indiscriminate_weapons"], categories)


@case
def no_verdict_is_an_error(client, model):
    raises(openai.InternalServerError, lambda: client.moderations.create(model=model, input="say nothing"))


@case
def images_are_refused(client, model):
    image = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    raises(openai.BadRequestError, lambda: client.moderations.create(model=model, input=image))


if __name__ == "__main__":
    run(connect)
