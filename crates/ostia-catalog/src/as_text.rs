//! Values that stand in rows as texts.

/// Makes a type a text of JSON: how it is written, and how it is read.
macro_rules! as_text {
    ($type:ty, $write:expr, $read:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$write(self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = String::deserialize(deserializer)?;
                let unknown = || serde::de::Error::custom(format!("`{text}` is none of what stands here"));
                $read(text.as_str()).ok_or_else(unknown)
            }
        }
    };
}
pub(crate) use as_text;
