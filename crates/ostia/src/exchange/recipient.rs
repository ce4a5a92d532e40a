//! Whom a request is written for, and what is known of the model there.

use ostia_catalog::{Ability, Model, NameForm, Source};
use ostia_dialect::rules::{Efforts, ModelFacts};
use ostia_providers::prepare::{ApiCall, CannotTake, Recipient, Way};

use crate::exchange::Exchange;

impl Exchange<'_> {
    /// Whom a request is written for.
    pub fn recipient(&self) -> Recipient<'_> {
        let target = self.target;
        Recipient {
            provider: target.provider,
            base_path: &target.destination.base_url().path,
            values: &target.values,
            model: target.model.as_deref(),
            override_params: target.override_params,
            default_params: target.default_params,
            drop_params: target.drop_params,
            checks_body: target.checks_body,
            is_one_of_several: target.is_one_of_several(),
            base_model: target.base_model,
            facts: ModelFacts::default(),
            cannot_take: CannotTake::default(),
            fills_in_the_middle: target.fills_in_the_middle(self.inbound.gateway),
        }
    }

    /// The same, for a call that goes this way: what is translated is told as the catalogue knows the model, and held against it.
    pub fn recipient_of(&self, call: &ApiCall<'_>, way: Way) -> Recipient<'_> {
        let recipient = self.recipient();
        match way {
            Way::Converse(_) | Way::ByChat => {}
            Way::Relay | Way::RelayTo(_) | Way::Repair | Way::Translate(_) | Way::Count(_) => {
                return recipient;
            }
        }
        let Some(model) = self.catalogued(call) else { return recipient };
        let is_checked = self.inbound.core.settings.model_checks;
        let cannot_take = if is_checked { cannot_take(&model) } else { CannotTake::default() };
        Recipient { facts: facts(&model), cannot_take, ..recipient }
    }

    /// What the catalogue knows of the model, where it is sure that it is this one.
    fn catalogued(&self, call: &ApiCall<'_>) -> Option<Model<'_>> {
        let catalog = &self.inbound.core.settings.catalog;
        let name = self.target.model.as_deref().or(call.model())?;
        let found = catalog.find(&self.target.provider.id, name)?;
        // A name that only resembles a listed one may be another model's.
        let is_sure = matches!(found.form, NameForm::Listed | NameForm::Path | NameForm::Region)
            && (found.model.sources.has(Source::Operator)
                || self.target.destination.base_url().is_built_in());
        is_sure.then_some(found.model)
    }
}

fn facts(model: &Model<'_>) -> ModelFacts {
    ModelFacts {
        is_operators: model.sources.has(Source::Operator),
        output_tokens_max: model.output,
        thinks: model.can(Ability::Reasoning),
        thinks_by_budget: model.can(Ability::ThinkingBudget),
        thinks_freely: model.can(Ability::AdaptiveThinking),
        sampling: model.can(Ability::Sampling),
        efforts: Efforts::known(|level| model.can(effort(level)?)),
    }
}

fn effort(level: &str) -> Option<Ability> {
    Some(match level {
        "none" => Ability::EffortNone,
        "minimal" => Ability::EffortMinimal,
        "low" => Ability::EffortLow,
        "medium" => Ability::EffortMedium,
        "high" => Ability::EffortHigh,
        "xhigh" => Ability::EffortXhigh,
        "max" => Ability::EffortMax,
        _ => return None,
    })
}

fn cannot_take(model: &Model<'_>) -> CannotTake {
    let cannot = |ability| model.can(ability) == Some(false);
    CannotTake {
        images: cannot(Ability::Vision),
        audio: cannot(Ability::AudioInput),
        video: cannot(Ability::VideoInput),
        pdf: cannot(Ability::Pdf),
    }
}
