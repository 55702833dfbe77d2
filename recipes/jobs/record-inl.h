// A record: an object that commands print as JSON, as one table of its fields.
//
//   template <>
//   const Record<DiskNeed>& RecordOf() {
//     static const Record<DiskNeed> record = {
//         "DiskNeed",
//         "What is needed and free on one file system.",
//         {{"folder", &DiskNeed::folder, "The first output folder on it."},
//          {"bytes_needed", &DiskNeed::needed, "What the run writes there."}}};
//     return record;
//   }
//
// From it follow the JSON, its schema and, of the schema, Python's dataclass
// (scripts/make_python_results.py): a field is one row here and stands nowhere else. How a value is
// written and what its schema is follows from its type in C++ (json_value-inl.h).
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "recipes/jobs/json_value-inl.h"

namespace weightsmith::internal {

/// A field as its schema has it.
struct FieldSchema {
  std::string_view name;
  std::string_view doc;  ///< one line
  Json (*schema)();      ///< of its value
  bool required = true;  ///< else it may be left out
};

/// The schema of an object. `title` is the name of Python's class.
Json ObjectSchema(std::string_view title, std::string_view doc,
                  std::span<const FieldSchema> fields);

/// The schema of what is an object where one thing was asked for, and else a list: `name` is that
/// of the object in it.
Json OneOrSeveral(std::string_view name, Json schema);

template <class T>
struct Field {
  FieldSchema schema;
  /// The value of a T in JSON; nothing where the field is left out.
  std::function<std::optional<Json>(const T&)> write;
};

/// Marks a field whose value is a std::optional that is left out where there is none. Without it,
/// such a field is null.
struct Optional {};
inline constexpr Optional kOptional;

/// Marks fields of another record that stand among a record's own.
template <class Get>
struct Inline {
  explicit Inline(Get getter) : get(std::move(getter)) {}
  Get get;  ///< the other of the record
};

/// The getter of a member of a part: Through(&RunReport::report, &Report::seconds).
template <class Outer, class Inner>
auto Through(Outer outer, Inner inner) {
  return [outer, inner]<class Owner>(const Owner& owner) -> decltype(auto) {
    static_assert(std::is_lvalue_reference_v<std::invoke_result_t<const Outer&, const Owner&>>,
                  "a member of what is no longer there");
    return std::invoke(inner, std::invoke(outer, owner));
  };
}

/// A row of the table of T. `get` gives the value: a pointer to a member, or a function of a T.
template <class T>
class Row {
 public:
  template <class Get>
  Row(std::string_view name, Get get, std::string_view doc) {
    using Type = Got<Get>;
    fields_.push_back({{name, doc, JsonValue<Type>::Schema}, [get](const T& owner) {
                         return JsonValue<Type>::Write(std::invoke(get, owner));
                       }});
  }

  template <class Get>
  Row(std::string_view name, Get get, std::string_view doc, Optional /*mark*/) {
    using Type = typename Got<Get>::value_type;
    fields_.push_back(
        {{name, doc, JsonValue<Type>::Schema, false}, [get](const T& owner) -> std::optional<Json> {
           const auto& value = std::invoke(get, owner);
           if (!value) return std::nullopt;
           return JsonValue<Type>::Write(*value);
         }});
  }

  template <class Get>
  Row(Inline<Get> other) {
    for (const auto& field : RecordOf<Got<Get>>().fields()) {
      fields_.push_back({field.schema, [get = other.get, &field](const T& owner) {
                           return field.write(std::invoke(get, owner));
                         }});
    }
  }

  const std::vector<Field<T>>& fields() const { return fields_; }

 private:
  template <class Get>
  using Got = std::remove_cvref_t<std::invoke_result_t<const Get&, const T&>>;

  std::vector<Field<T>> fields_;
};

template <class T>
class Record {
 public:
  /// `name` is that of Python's class. All texts are literals.
  Record(std::string_view name, std::string_view doc, std::initializer_list<Row<T>> rows)
      : name_(name), doc_(doc) {
    for (const Row<T>& row : rows) {
      fields_.insert(fields_.end(), row.fields().begin(), row.fields().end());
    }
  }

  Json Schema() const {
    std::vector<FieldSchema> schemas;
    for (const Field<T>& field : fields_) schemas.push_back(field.schema);
    return ObjectSchema(name_, doc_, schemas);
  }

  /// Fields in the order of the table.
  Json Write(const T& value) const {
    Json json = Json::object();
    for (const Field<T>& field : fields_) {
      if (auto written = field.write(value)) {
        json[std::string(field.schema.name)] = *std::move(written);
      }
    }
    return json;
  }

  const std::vector<Field<T>>& fields() const { return fields_; }

 private:
  std::string_view name_;
  std::string_view doc_;
  std::vector<Field<T>> fields_;
};

/// What a command prints.
template <class T>
std::string JsonText(const T& value) {
  return ToText(JsonValue<T>::Write(value));
}

/// The schema of that, without "$schema".
template <class T>
std::string JsonSchema() {
  return ToLine(JsonValue<T>::Schema());
}

}  // namespace weightsmith::internal
