#include "recipes/jobs/record-inl.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <memory>

namespace weightsmith::internal {
namespace {

enum class Colour : std::uint8_t { kRed, kBlue };

std::string_view ToString(Colour colour) {
  return colour == Colour::kRed ? "red" : "blue";
}

struct Wheel {
  double radius = 0;
};

struct Engine {
  std::uint64_t cylinders = 0;
  double litres = 0;
};

struct Car {
  std::string name;
  std::filesystem::path path;
  std::string_view word;
  Colour colour = Colour::kRed;
  std::optional<Digest> digest;
  bool sold = false;
  std::uint32_t doors = 0;
  int balance = 0;
  double price = 0;
  std::optional<std::uint64_t> owner;
  std::optional<Engine> engine;
  std::optional<Engine> spare;
  std::vector<Wheel> wheels;
  std::map<std::string, std::uint64_t> counts;
  std::vector<std::pair<Colour, Wheel>> by_colour;
  std::set<std::string> tags;
  std::shared_ptr<const Wheel> steering;
  Json anything;
  Engine motor;
};

}  // namespace

template <>
const Record<Wheel>& RecordOf() {
  static const Record<Wheel> record = {
      "Wheel", "What turns.", {{"radius", &Wheel::radius, "In metres."}}};
  return record;
}

template <>
const Record<Engine>& RecordOf() {
  static const Record<Engine> record = {
      "Engine",
      "What drives.",
      {{"cylinders", &Engine::cylinders, "How many."}, {"litres", &Engine::litres, ""}}};
  return record;
}

template <>
const Record<Car>& RecordOf() {
  static const Record<Car> record = {"Car",
                                     "A field of every kind.",
                                     {{"name", &Car::name, "Its name."},
                                      {"path", &Car::path, ""},
                                      {"word", &Car::word, ""},
                                      {"colour", &Car::colour, ""},
                                      {"digest", &Car::digest, "Of its papers.", kOptional},
                                      {"sold", &Car::sold, ""},
                                      {"doors", &Car::doors, ""},
                                      {"balance", &Car::balance, ""},
                                      {"price", &Car::price, ""},
                                      {"owner", &Car::owner, ""},
                                      {"engine", &Car::engine, ""},
                                      {"spare", &Car::spare, "", kOptional},
                                      {"wheels", &Car::wheels, "All of them."},
                                      {"counts", &Car::counts, ""},
                                      {"by_colour", &Car::by_colour, ""},
                                      {"tags", &Car::tags, ""},
                                      {"steering", Through(&Car::steering, &Wheel::radius), ""},
                                      {"twice", [](const Car& car) { return 2 * car.price; }, ""},
                                      {"anything", &Car::anything, ""},
                                      Inline(&Car::motor)}};
  return record;
}

namespace {

Car FullCar() {
  return {.name = "a",
          .path = "b/c",
          .word = "w",
          .colour = Colour::kBlue,
          .digest = Digest(),
          .sold = true,
          .doors = 4,
          .balance = -3,
          .price = 1.5,
          .owner = 7,
          .engine = Engine{6, 3.0},
          .spare = Engine{4, 2.0},
          .wheels = {{0.5}, {0.25}},
          .counts = {{"z", 1}, {"y", 2}},
          .by_colour = {{Colour::kBlue, {0.5}}, {Colour::kRed, {0.25}}},
          .tags = {"q", "p"},
          .steering = std::make_shared<const Wheel>(Wheel{0.125}),
          .anything = {1, "two"},
          .motor = {8, 4.0}};
}

TEST(Record, WritesEveryKindOfValueInTheOrderOfTheTable) {
  EXPECT_EQ(JsonText(FullCar()), ToText(Json::parse(R"({
    "name": "a", "path": "b/c", "word": "w", "colour": "blue",
    "digest": "00000000000000000000000000000000",
    "sold": true, "doors": 4, "balance": -3, "price": 1.5, "owner": 7,
    "engine": {"cylinders": 6, "litres": 3.0},
    "spare": {"cylinders": 4, "litres": 2.0},
    "wheels": [{"radius": 0.5}, {"radius": 0.25}],
    "counts": {"y": 2, "z": 1},
    "by_colour": {"blue": {"radius": 0.5}, "red": {"radius": 0.25}},
    "tags": ["p", "q"], "steering": 0.125, "twice": 3.0, "anything": [1, "two"],
    "cylinders": 8, "litres": 4.0})")));
}

TEST(Record, AnOptionalIsNullOrLeftOut) {
  Car car = FullCar();
  car.owner.reset();
  car.engine.reset();
  car.digest.reset();
  car.spare.reset();
  const Json json = JsonValue<Car>::Write(car);
  EXPECT_TRUE(json.at("owner").is_null());
  EXPECT_TRUE(json.at("engine").is_null());
  EXPECT_FALSE(json.contains("digest"));
  EXPECT_FALSE(json.contains("spare"));
}

TEST(Record, TheSchemaFollowsFromTheTypes) {
  EXPECT_EQ(ToText(JsonValue<Car>::Schema()), ToText(Json::parse(R"({
    "title": "Car",
    "description": "A field of every kind.",
    "type": "object",
    "properties": {
      "name": {"type": "string", "description": "Its name."},
      "path": {"type": "string"},
      "word": {"type": "string"},
      "colour": {"type": "string"},
      "digest": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "Of its papers."},
      "sold": {"type": "boolean"},
      "doors": {"type": "integer", "minimum": 0},
      "balance": {"type": "integer"},
      "price": {"type": "number"},
      "owner": {"type": ["integer", "null"], "minimum": 0},
      "engine": {"anyOf": [
        {"title": "Engine", "description": "What drives.", "type": "object",
         "properties": {"cylinders": {"type": "integer", "minimum": 0, "description": "How many."},
                        "litres": {"type": "number"}},
         "required": ["cylinders", "litres"], "additionalProperties": false},
        {"type": "null"}]},
      "spare":
        {"title": "Engine", "description": "What drives.", "type": "object",
         "properties": {"cylinders": {"type": "integer", "minimum": 0, "description": "How many."},
                        "litres": {"type": "number"}},
         "required": ["cylinders", "litres"], "additionalProperties": false},
      "wheels": {"type": "array", "items":
        {"title": "Wheel", "description": "What turns.", "type": "object",
         "properties": {"radius": {"type": "number", "description": "In metres."}},
         "required": ["radius"], "additionalProperties": false},
        "description": "All of them."},
      "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
      "by_colour": {"type": "object", "additionalProperties":
        {"title": "Wheel", "description": "What turns.", "type": "object",
         "properties": {"radius": {"type": "number", "description": "In metres."}},
         "required": ["radius"], "additionalProperties": false}},
      "tags": {"type": "array", "items": {"type": "string"}},
      "steering": {"type": "number"},
      "twice": {"type": "number"},
      "anything": {},
      "cylinders": {"type": "integer", "minimum": 0, "description": "How many."},
      "litres": {"type": "number"}
    },
    "required": ["name", "path", "word", "colour", "sold", "doors", "balance", "price", "owner",
                 "engine", "wheels", "counts", "by_colour", "tags", "steering", "twice", "anything",
                 "cylinders", "litres"],
    "additionalProperties": false})")));
}

TEST(Record, WhatIsOneOrSeveralNamesItsObject) {
  EXPECT_EQ(OneOrSeveral("wheel", {{"type", "number"}}), Json::parse(R"({
    "anyOf": [{"$ref": "#/$defs/wheel"}, {"type": "array", "items": {"$ref": "#/$defs/wheel"}}],
    "$defs": {"wheel": {"type": "number"}}})"));
}

}  // namespace
}  // namespace weightsmith::internal
