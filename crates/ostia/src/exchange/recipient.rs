//! Whom a request is written for, and what is known of the model there.

use ostia_catalog::{Ability, Model, NameForm, Source};
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
            cannot_take: CannotTake::default(),
            fills_in_the_middle: target.fills_in_the_middle(self.inbound.gateway),
        }
    }

    /// The same, for a call that goes this way: what is translated is held against what the catalogue knows of the model.
    pub fn recipient_of(&self, call: &ApiCall<'_>, way: Way) -> Recipient<'_> {
        let cannot_take = match way {
            Way::Converse(_) | Way::ByChat => self.cannot_take(call),
            Way::Relay | Way::RelayTo(_) | Way::Repair | Way::Translate(_) | Way::Count(_) => {
                CannotTake::default()
            }
        };
        Recipient { cannot_take, ..self.recipient() }
    }

    fn cannot_take(&self, call: &ApiCall<'_>) -> CannotTake {
        let settings = &self.inbound.core.settings;
        if !settings.model_checks {
            return CannotTake::default();
        }
        let name = self.target.model.as_deref().or(call.model());
        let found = name.and_then(|name| settings.catalog.find(&self.target.provider.id, name));
        // A name that only resembles a listed one may be another model's.
        let found = found.filter(|found| {
            matches!(found.form, NameForm::Listed | NameForm::Path | NameForm::Region)
                && (found.model.sources.has(Source::Operator)
                    || self.target.destination.base_url().is_built_in())
        });
        found.map_or(CannotTake::default(), |found| cannot_take(&found.model))
    }
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
