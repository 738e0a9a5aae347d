//! The fields of a serializable struct as metrics, each with its own type.

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};
use sqltrack_engines::Value;

/// Why a value is no set of metrics.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotFields(String);

impl ser::Error for NotFields {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The fields or entries of `value` in order.
pub(super) fn fields<T: Serialize + ?Sized>(value: &T) -> Result<Vec<(String, Value)>, NotFields> {
    value.serialize(Fields)
}

/// Takes structs and maps, and nothing else.
struct Fields;

/// Takes the value of a single field.
struct Field;

#[derive(Default)]
struct Collected {
    fields: Vec<(String, Value)>,
    key: Option<String>,
}

fn not_fields<T>(found: &str) -> Result<T, NotFields> {
    Err(NotFields(format!("expected a struct or a map, found {found}")))
}

macro_rules! refuse {
    ($($method:ident($ty:ty) $found:literal,)*) => {$(
        fn $method(self, _: $ty) -> Result<Self::Ok, Self::Error> {
            not_fields($found)
        }
    )*};
}

impl Serializer for Fields {
    type Ok = Vec<(String, Value)>;
    type Error = NotFields;
    type SerializeSeq = Impossible<Self::Ok, NotFields>;
    type SerializeTuple = Impossible<Self::Ok, NotFields>;
    type SerializeTupleStruct = Impossible<Self::Ok, NotFields>;
    type SerializeTupleVariant = Impossible<Self::Ok, NotFields>;
    type SerializeMap = Collected;
    type SerializeStruct = Collected;
    type SerializeStructVariant = Impossible<Self::Ok, NotFields>;

    refuse! {
        serialize_bool(bool) "a boolean",
        serialize_i8(i8) "a number",
        serialize_i16(i16) "a number",
        serialize_i32(i32) "a number",
        serialize_i64(i64) "a number",
        serialize_u8(u8) "a number",
        serialize_u16(u16) "a number",
        serialize_u32(u32) "a number",
        serialize_u64(u64) "a number",
        serialize_f32(f32) "a number",
        serialize_f64(f64) "a number",
        serialize_char(char) "text",
        serialize_str(&str) "text",
        serialize_bytes(&[u8]) "bytes",
    }

    fn serialize_none(self) -> Result<Self::Ok, NotFields> {
        Ok(Vec::new())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, NotFields> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Self::Ok, NotFields> {
        Ok(Vec::new())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, NotFields> {
        Ok(Vec::new())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Self::Ok, NotFields> {
        not_fields("an enum")
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, NotFields> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Self::Ok, NotFields> {
        not_fields("an enum")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotFields> {
        not_fields("a sequence")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotFields> {
        not_fields("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, NotFields> {
        not_fields("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NotFields> {
        not_fields("an enum")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Collected, NotFields> {
        Ok(Collected::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Collected, NotFields> {
        Ok(Collected::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NotFields> {
        not_fields("an enum")
    }
}

impl SerializeStruct for Collected {
    type Ok = Vec<(String, Value)>;
    type Error = NotFields;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), NotFields> {
        self.fields.push((key.to_owned(), field(value)?));
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, NotFields> {
        Ok(self.fields)
    }
}

impl SerializeMap for Collected {
    type Ok = Vec<(String, Value)>;
    type Error = NotFields;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotFields> {
        match field(key)? {
            Value::Text(key) => self.key = Some(key),
            _ => return Err(NotFields("expected keys that are text".to_owned())),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFields> {
        let key = self.key.take().ok_or_else(|| NotFields("a value came without its key".to_owned()))?;
        self.fields.push((key, field(value)?));
        Ok(())
    }

    fn end(self) -> Result<Self::Ok, NotFields> {
        Ok(self.fields)
    }
}

/// A field's value in its own type; whatever has parts is JSON.
fn field<T: Serialize + ?Sized>(value: &T) -> Result<Value, NotFields> {
    match value.serialize(Field) {
        Ok(value) => Ok(value),
        Err(Parts::Some) => {
            serde_json::to_value(value).map(Value::Json).map_err(|err| NotFields(err.to_string()))
        }
        Err(Parts::Failed(message)) => Err(NotFields(message)),
    }
}

/// Why a field is no single value: it has parts, or it says that it cannot be serialized.
#[derive(Debug, thiserror::Error)]
enum Parts {
    #[error("the value has parts")]
    Some,
    #[error("{0}")]
    Failed(String),
}

impl ser::Error for Parts {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Failed(message.to_string())
    }
}

macro_rules! take {
    ($($method:ident($ty:ty),)*) => {$(
        fn $method(self, value: $ty) -> Result<Value, Parts> {
            Ok(Value::from(value))
        }
    )*};
}

impl Serializer for Field {
    type Ok = Value;
    type Error = Parts;
    type SerializeSeq = Impossible<Value, Parts>;
    type SerializeTuple = Impossible<Value, Parts>;
    type SerializeTupleStruct = Impossible<Value, Parts>;
    type SerializeTupleVariant = Impossible<Value, Parts>;
    type SerializeMap = Impossible<Value, Parts>;
    type SerializeStruct = Impossible<Value, Parts>;
    type SerializeStructVariant = Impossible<Value, Parts>;

    take! {
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_str(&str),
        serialize_bytes(&[u8]),
    }

    fn serialize_char(self, value: char) -> Result<Value, Parts> {
        Ok(Value::from(value.to_string()))
    }

    fn serialize_none(self) -> Result<Value, Parts> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Parts> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Parts> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Parts> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Parts> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Parts> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, Parts> {
        Err(Parts::Some)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Parts> {
        Err(Parts::Some)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Parts> {
        Err(Parts::Some)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Parts> {
        Err(Parts::Some)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Parts> {
        Err(Parts::Some)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Parts> {
        Err(Parts::Some)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Parts> {
        Err(Parts::Some)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Parts> {
        Err(Parts::Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(serde::Serialize)]
    struct Epoch {
        loss: f64,
        count: u64,
        phase: Option<&'static str>,
        missing: Option<f32>,
        shape: (u8, u8),
    }

    #[test]
    fn fields_keep_their_types() {
        let epoch =
            Epoch { loss: f64::INFINITY, count: 3, phase: Some("train"), missing: None, shape: (2, 3) };
        let expected = [
            ("loss", Value::Float(f64::INFINITY)),
            ("count", Value::Int(3)),
            ("phase", Value::from("train")),
            ("missing", Value::Null),
            ("shape", Value::Json(json!([2, 3]))),
        ];
        assert_eq!(fields(&epoch).unwrap(), expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn what_has_no_names_is_refused() {
        assert!(fields(&7).is_err());
        assert!(fields(&["loss"]).is_err());
        assert!(fields(&std::collections::BTreeMap::from([(1, 2)])).is_err());
        assert_eq!(fields(&json!({"loss": 0.5})).unwrap(), [("loss".to_owned(), Value::Float(0.5))]);
    }
}
