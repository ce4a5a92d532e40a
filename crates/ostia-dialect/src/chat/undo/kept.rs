//! The same as JSON, for answers that come when the request is long gone.

use serde_json::{Value, json};

use super::{Arguments, Own, Undo};
use crate::chat::tools::client_run;
use crate::chat::tools::schema::Names;

/// What stands for arguments that hold the free text of a custom tool. No tool of a client has this name.
const FREE_TEXT: &str = "free text";

impl Undo {
    /// As it is kept.
    pub fn kept(&self) -> Value {
        let own = |(upstream, own): &(String, Own)| {
            let arguments = match own.arguments {
                Arguments::Same => None,
                Arguments::FreeText => Some(FREE_TEXT),
                Arguments::Item(tool) => Some(tool.name),
            };
            let properties = own.properties.as_ref().map(Names::pairs);
            json!([upstream, own.name, own.namespace, properties, arguments])
        };
        self.tools.iter().map(own).collect()
    }

    /// The way back; `None` for what this has not written.
    pub fn of_kept(kept: &Value) -> Option<Undo> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let own = |kept: &Value| {
            let arguments = match kept[4].as_str() {
                None => Arguments::Same,
                Some(FREE_TEXT) => Arguments::FreeText,
                Some(name) => Arguments::Item(client_run::own_tool(name)?),
            };
            let pair = |pair: &Value| Some((text(&pair[0])?, text(&pair[1])?));
            let properties = match kept[3].as_array() {
                Some(pairs) => Some(Names::of_pairs(pairs.iter().map(pair).collect::<Option<_>>()?)),
                None => None,
            };
            let own = Own { name: text(&kept[1])?, namespace: text(&kept[2]), properties, arguments };
            Some((text(&kept[0])?, own))
        };
        let tools = kept.as_array()?.iter().map(own).collect::<Option<_>>()?;
        Some(Undo { tools, held: Vec::new() })
    }
}
