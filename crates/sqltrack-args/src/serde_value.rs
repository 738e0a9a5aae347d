//! [`ArgValue`] and [`ParsedOptions`] in serde's data model.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::{Deserialize, Serialize, Serializer, forward_to_deserialize_any};

use crate::options::ParsedOptions;
use crate::value::ArgValue;

impl Serialize for ArgValue {
    /// Writes what [`ArgValue::to_json`] returns.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => serializer.collect_map(entries),
            scalar => scalar.to_json().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ArgValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = ArgValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of an argument")
    }

    fn visit_unit<E>(self) -> Result<ArgValue, E> {
        Ok(ArgValue::None)
    }

    fn visit_none<E>(self) -> Result<ArgValue, E> {
        Ok(ArgValue::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<ArgValue, D::Error> {
        ArgValue::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<ArgValue, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<ArgValue, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<ArgValue, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<ArgValue, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<ArgValue, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ArgValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(ArgValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<ArgValue, A::Error> {
        let mut map = IndexMap::new();
        while let Some((key, value)) = entries.next_entry()? {
            map.insert(key, value);
        }
        Ok(ArgValue::Map(map))
    }
}

/// A value that does not fit the type that it should become.
type Error = de::value::Error;

impl<'de> IntoDeserializer<'de> for &'de ArgValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de ArgValue {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            ArgValue::None => visitor.visit_unit(),
            ArgValue::Bool(value) => visitor.visit_bool(*value),
            ArgValue::Int(value) => visitor.visit_i64(*value),
            ArgValue::BigInt(digits) => match (digits.parse(), digits.parse()) {
                (Ok(value), _) => visitor.visit_u64(value),
                (Err(_), Ok(value)) => visitor.visit_i128(value),
                (Err(_), Err(_)) => visitor.visit_borrowed_str(digits),
            },
            ArgValue::Float(value) => visitor.visit_f64(*value),
            // As (real, imaginary), the form in which number crates expect them.
            ArgValue::Complex(value) => {
                visitor.visit_seq(SeqDeserializer::new([value.re, value.im].into_iter()))
            }
            ArgValue::Str(text) => visitor.visit_borrowed_str(text),
            ArgValue::Path(path) => match path.to_str() {
                Some(text) => visitor.visit_borrowed_str(text),
                None => visitor.visit_string(path.to_string_lossy().into_owned()),
            },
            ArgValue::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            ArgValue::Map(entries) => visitor.visit_map(Entries::of(entries.iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            ArgValue::Str(text) => visitor.visit_enum(StrDeserializer::new(text)),
            ArgValue::Map(entries) => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(Entries::of(entries.iter())))
            }
            other => Err(Error::invalid_type(Unexpected::Other(&other.repr()), &visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor).map_err(|err| match self {
            ArgValue::Str(_) | ArgValue::Path(_) | ArgValue::None => err,
            _ => Error::custom(format!("{err}; an argument whose name ends in `str` keeps its text")),
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> Deserializer<'de> for &'de ParsedOptions {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entries::of(self.iter()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Names and values, one after the other; errors name what they are about.
struct Entries<'de, I> {
    entries: I,
    value: Option<(&'de str, &'de ArgValue)>,
}

impl<'de, K: AsRef<str> + ?Sized + 'de, I: Iterator<Item = (&'de K, &'de ArgValue)>> Entries<'de, I> {
    fn of(entries: I) -> Self {
        Self { entries, value: None }
    }
}

impl<'de, K, I> MapAccess<'de> for Entries<'de, I>
where
    K: AsRef<str> + ?Sized + 'de,
    I: Iterator<Item = (&'de K, &'de ArgValue)>,
{
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.value = self.entries.next().map(|(name, value)| (name.as_ref(), value));
        self.value.map(|(name, _)| seed.deserialize(StrDeserializer::new(name))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (name, value) =
            self.value.take().ok_or_else(|| Error::custom("a value was read before its name"))?;
        seed.deserialize(value).map_err(|err| Error::custom(format!("`{name}`: {err}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::options;
    use crate::value::Complex;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Model {
        ResNet18,
        Vit { depth: u8 },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Arguments {
        model: Model,
        lr: f32,
        epochs: Option<u16>,
        files: Vec<PathBuf>,
        z: (f64, f64),
        seed: u64,
        #[serde(default)]
        verbose: bool,
    }

    fn options() -> ParsedOptions {
        options! {
            "model" => "resnet18", "lr" => 1, "epochs" => (), "files" => vec!["a", "b"],
            "z" => Complex { re: 1.0, im: 2.0 }, "seed" => u64::MAX
        }
    }

    #[test]
    fn a_struct_takes_its_fields() {
        let arguments: Arguments = options().deserialize().unwrap();
        assert_eq!(
            arguments,
            Arguments {
                model: Model::ResNet18,
                lr: 1.0,
                epochs: None,
                files: vec!["a".into(), "b".into()],
                z: (1.0, 2.0),
                seed: u64::MAX,
                verbose: false,
            }
        );
        let vit = options().overridden([("model", ArgValue::from(json!({"vit": {"depth": 3}})))]);
        assert_eq!(vit.get::<Model>("model"), Ok(Model::Vit { depth: 3 }));
    }

    #[test]
    fn errors_name_the_argument() {
        let err = options().overridden([("lr", "fast")]).deserialize::<Arguments>().unwrap_err();
        assert_eq!(err.to_string(), "`lr`: invalid type: string \"fast\", expected f32");
        let err = options! { "model" => 3 }.get::<String>("model").unwrap_err().to_string();
        assert!(err.ends_with("an argument whose name ends in `str` keeps its text"), "{err}");
    }

    #[test]
    fn serde_json_and_to_json_agree() {
        let options = options().overridden(options! {
            "nan" => f64::NAN, "big" => ArgValue::BigInt("1".repeat(30)), "path" => PathBuf::from("x"),
            "map" => ArgValue::Map(IndexMap::from([("inf".to_owned(), ArgValue::Float(f64::INFINITY))])),
        });
        let value = serde_json::to_value(&options).unwrap();
        assert_eq!(value, options.to_json());
        assert_eq!(value["nan"], json!("nan"));
        assert_eq!(value["z"], json!("(1+2j)"));
        assert_eq!(value["seed"], json!(u64::MAX));
        assert_eq!(value["map"], json!({"inf": "inf"}));
    }

    #[test]
    fn json_comes_back_in_order() {
        let text = r#"{"b":[1,2.5,null],"a":{"x":true},"c":18446744073709551615}"#;
        let options: ParsedOptions = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&options).unwrap(), text);
        let map: BTreeMap<String, serde_json::Value> = options.deserialize().unwrap();
        assert_eq!(map["b"], json!([1, 2.5, null]));
    }
}
