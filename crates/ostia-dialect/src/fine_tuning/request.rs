//! What a client asks for (<https://platform.openai.com/docs/api-reference/fine-tuning/create>).

use crate::json::{Document, Json, Node, Writer, optional_str, report_unknown};
use crate::{Fault, FaultKind};

/// OpenAI's bounds on metadata: entries, and characters of names and of values.
pub const METADATA_MAX: (usize, usize, usize) = (16, 64, 512);
/// Longest suffix, in characters.
const SUFFIX_CHARS_MAX: usize = 64;

/// The fields that mean something here.
const FIELDS: [&str; 9] = [
    "model",
    "training_file",
    "validation_file",
    "suffix",
    "seed",
    "method",
    "hyperparameters",
    "integrations",
    "metadata",
];

/// A job that is to be made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewJob {
    /// The model that is trained.
    pub model: String,
    /// The file of its rows.
    pub training_file: String,
    /// The file of rows that it is held against meanwhile.
    pub validation_file: Option<String>,
    /// A part of the name that the new model gets.
    pub suffix: Option<String>,
    /// By which the same job has the same end.
    pub seed: Option<u64>,
    /// How it is trained.
    pub method: Method,
    /// The numbers of that.
    pub hyperparameters: Hyperparameters,
    /// Where it is told how far it is, at Weights & Biases.
    pub wandb: Option<Wandb>,
    /// The client's own words.
    pub metadata: Vec<(String, String)>,
    /// Fields that mean nothing here, by path.
    pub unknown: Vec<String>,
}

/// How a model is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// With answers that are right.
    #[default]
    Supervised,
    /// With pairs of which one is better.
    Dpo,
}

/// Numbers of the training. `None`: the vendor chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hyperparameters {
    /// Times that the model sees each row.
    pub n_epochs: Option<u64>,
    /// Rows between two steps.
    pub batch_size: Option<u64>,
    /// The rate of learning, as a multiple of what the vendor would choose.
    pub learning_rate_multiplier: Option<f64>,
    /// The same as a number of its own. OpenAI has no such field: vendors that publish no default need it.
    pub learning_rate: Option<f64>,
    /// How near the model stays to what it was, for preferences.
    pub beta: Option<f64>,
    /// How large that is which is trained beside the model. OpenAI has no such field.
    pub adapter_size: Option<u64>,
}

/// A run at Weights & Biases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wandb {
    /// The project.
    pub project: String,
    /// The run's name.
    pub name: Option<String>,
    /// The team or the user.
    pub entity: Option<String>,
    /// Tags of the run.
    pub has_tags: bool,
    /// The key. OpenAI keeps it with the account; vendors that do not have to be told it.
    pub api_key: Option<String>,
}

impl Method {
    /// OpenAI's word.
    pub fn name(self) -> &'static str {
        match self {
            Method::Supervised => "supervised",
            Method::Dpo => "dpo",
        }
    }
}

impl NewJob {
    /// Reads the body.
    ///
    /// # Errors
    /// 400 that names the field.
    pub fn decode(document: &Document<'_>) -> Result<NewJob, Fault> {
        let root = document.root();
        let mut unknown = Vec::new();
        report_unknown(root, &FIELDS, &mut unknown);
        let (method, own) = decode_method(root, &mut unknown)?;
        // The older spelling counts where the newer one says nothing.
        let older = decode_numbers(root.some("hyperparameters"), &mut unknown)?;
        Ok(NewJob {
            model: root.expect("model")?.expect_str()?.into_owned(),
            training_file: root.expect("training_file")?.expect_str()?.into_owned(),
            validation_file: optional_str(root, "validation_file")?,
            suffix: decode_suffix(root)?,
            seed: root.some("seed").map(|seed| seed.expect_u64()).transpose()?,
            method,
            hyperparameters: own.or(older),
            wandb: decode_integrations(root, &mut unknown)?,
            metadata: decode_metadata(root)?,
            unknown: unknown.into_iter().map(|(path, _)| path).collect(),
        })
    }

    /// What of it a job tells its maker again: `method`, `hyperparameters`, `integrations` and `seed`, and never a key.
    pub fn told(&self) -> Json {
        Json::build(|w| {
            w.object(|w| {
                w.field_object("hyperparameters", |w| self.hyperparameters.encode(Method::Supervised, w));
                w.field_object("method", |w| {
                    w.field_str("type", self.method.name());
                    w.field_object(self.method.name(), |w| {
                        w.field_object("hyperparameters", |w| self.hyperparameters.encode(self.method, w));
                    });
                });
                w.field_array("integrations", |w| self.wandb.iter().for_each(|wandb| wandb.encode(w)));
                // Not every vendor says which it chose, and clients with types want a number.
                w.field_u64("seed", self.seed.unwrap_or_default());
            });
        })
    }
}

impl Hyperparameters {
    fn or(self, other: Hyperparameters) -> Hyperparameters {
        Hyperparameters {
            n_epochs: self.n_epochs.or(other.n_epochs),
            batch_size: self.batch_size.or(other.batch_size),
            learning_rate_multiplier: self.learning_rate_multiplier.or(other.learning_rate_multiplier),
            learning_rate: self.learning_rate.or(other.learning_rate),
            beta: self.beta.or(other.beta),
            adapter_size: self.adapter_size.or(other.adapter_size),
        }
    }

    fn encode(self, method: Method, w: &mut Writer) {
        let mut number = |name: &str, value: Option<f64>| match value {
            Some(value) => w.field_raw(name, &value.to_string()),
            None => w.field_str(name, "auto"),
        };
        number("n_epochs", self.n_epochs.map(|count| count as f64));
        number("batch_size", self.batch_size.map(|count| count as f64));
        number("learning_rate_multiplier", self.learning_rate_multiplier);
        if method == Method::Dpo {
            number("beta", self.beta);
        }
        if self.learning_rate.is_some() {
            number("learning_rate", self.learning_rate);
        }
        if self.adapter_size.is_some() {
            number("adapter_size", self.adapter_size.map(|size| size as f64));
        }
    }
}

impl Wandb {
    fn encode(&self, w: &mut Writer) {
        w.object(|w| {
            w.field_str("type", "wandb");
            w.field_object("wandb", |w| {
                w.field_str("project", &self.project);
                let texts = [("name", &self.name), ("entity", &self.entity)];
                for (name, text) in texts {
                    if let Some(text) = text {
                        w.field_str(name, text);
                    }
                }
            });
        });
    }
}

fn decode_method(
    root: Node<'_>,
    unknown: &mut Vec<(String, Json)>,
) -> Result<(Method, Hyperparameters), Fault> {
    let Some(method) = root.some("method") else { return Ok(Default::default()) };
    let kind = method.expect("type")?;
    let is = match &*kind.expect_str()? {
        "supervised" => Method::Supervised,
        "dpo" => Method::Dpo,
        other => {
            let message = format!(
                "The gateway has no form for training by `{other}` at this provider: use `supervised` or `dpo`."
            );
            let fault = Fault::new(FaultKind::InvalidRequest, message).with_param("method.type");
            return Err(fault.with_code("unsupported_operation"));
        }
    };
    report_unknown(method, &["type", is.name()], unknown);
    let own = method.some(is.name());
    if let Some(own) = own {
        own.expect_fields()?;
        report_unknown(own, &["hyperparameters"], unknown);
    }
    Ok((is, decode_numbers(own.and_then(|own| own.some("hyperparameters")), unknown)?))
}

fn decode_numbers(
    node: Option<Node<'_>>,
    unknown: &mut Vec<(String, Json)>,
) -> Result<Hyperparameters, Fault> {
    let Some(node) = node else { return Ok(Hyperparameters::default()) };
    node.expect_fields()?;
    let names =
        ["n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate", "beta", "adapter_size"];
    report_unknown(node, &names, unknown);
    Ok(Hyperparameters {
        n_epochs: decode_count(node, "n_epochs")?,
        batch_size: decode_count(node, "batch_size")?,
        learning_rate_multiplier: decode_number(node, "learning_rate_multiplier")?,
        learning_rate: decode_number(node, "learning_rate")?,
        beta: decode_number(node, "beta")?,
        adapter_size: decode_count(node, "adapter_size")?,
    })
}

/// The value of a field that says more than `auto`.
fn chosen<'d>(node: Node<'d>, name: &str) -> Option<Node<'d>> {
    node.some(name).filter(|value| value.as_str().as_deref() != Some("auto"))
}

fn decode_count(node: Node<'_>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(value) = chosen(node, name) else { return Ok(None) };
    match value.as_u64() {
        Some(count) if count > 0 => Ok(Some(count)),
        _ => Err(value.invalid("must be \"auto\" or a whole number from 1 on")),
    }
}

fn decode_number(node: Node<'_>, name: &str) -> Result<Option<f64>, Fault> {
    let Some(value) = chosen(node, name) else { return Ok(None) };
    match value.as_f64() {
        Some(number) if number > 0.0 && number.is_finite() => Ok(Some(number)),
        _ => Err(value.invalid("must be \"auto\" or a number above 0")),
    }
}

fn decode_suffix(root: Node<'_>) -> Result<Option<String>, Fault> {
    let Some(node) = root.some("suffix") else { return Ok(None) };
    let suffix = node.expect_str()?;
    match suffix.chars().count() {
        0 => Ok(None),
        1..=SUFFIX_CHARS_MAX => Ok(Some(suffix.into_owned())),
        _ => Err(node.invalid(format!("must have {SUFFIX_CHARS_MAX} characters at most"))),
    }
}

fn decode_integrations(root: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Option<Wandb>, Fault> {
    let Some(list) = root.some("integrations") else { return Ok(None) };
    let mut wandb = None;
    for item in list.expect_items()? {
        let kind = item.expect("type")?;
        if kind.expect_str()? != "wandb" {
            return Err(kind.invalid("must be \"wandb\""));
        }
        if wandb.is_some() {
            return Err(item.invalid("must be the only one"));
        }
        let own = item.expect("wandb")?;
        report_unknown(own, &["project", "name", "entity", "tags", "api_key"], unknown);
        wandb = Some(Wandb {
            project: own.expect("project")?.expect_str()?.into_owned(),
            name: optional_str(own, "name")?,
            entity: optional_str(own, "entity")?,
            has_tags: own.some("tags").is_some_and(|tags| tags.items().next().is_some()),
            api_key: optional_str(own, "api_key")?,
        });
    }
    Ok(wandb)
}

fn decode_metadata(root: Node<'_>) -> Result<Vec<(String, String)>, Fault> {
    let (entries_max, name_chars_max, value_chars_max) = METADATA_MAX;
    let Some(node) = root.some("metadata") else { return Ok(Vec::new()) };
    let mut metadata = Vec::new();
    for (name, value) in node.expect_fields()? {
        let value = value.expect_str()?;
        let is_short = name.chars().count() <= name_chars_max && value.chars().count() <= value_chars_max;
        metadata.push((name.into_owned(), value.into_owned()));
        if !is_short || metadata.len() > entries_max {
            return Err(node.invalid(format!(
                "must have {entries_max} entries at most, with names of {name_chars_max} and values of {value_chars_max} characters \
                 at most"
            )));
        }
    }
    Ok(metadata)
}
