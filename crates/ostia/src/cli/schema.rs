//! `ostia schema`: what editors complete and check `ostia.yaml` by.

/// The schema, as it stands in the repository.
pub fn text() -> String {
    format!("{:#}\n", ostia_config::schema())
}
