#include "pkg/metrics/registry.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "pkg/base/check.h"

namespace calico::metrics {
namespace {

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

bool IsMetricName(std::string_view name) {
  if (name.empty() || !IsNameStart(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); });
}

bool IsLabelName(std::string_view name) {
  return IsMetricName(name) && name.find(':') == std::string_view::npos &&
         name.substr(0, 2) != "__";
}

// Help texts escape backslash and newline, label values the quote as well.
std::string Escape(std::string_view text, bool quote) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quote && c == '"')) out += '\\';
    out += c;
  }
  return out;
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

// `a="1",b="2"`, without the braces.
std::string LabelText(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    CALICO_CHECK(IsLabelName(name) && name != "le");
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, Escape(value, true));
  }
  return text;
}

std::string Line(std::string_view name, std::string_view labels, std::string_view value) {
  if (labels.empty()) return fmt::format("{} {}\n", name, value);
  return fmt::format("{}{{{}}} {}\n", name, labels, value);
}

std::string Expose(std::string_view name, std::string_view labels, const Histogram& histogram) {
  std::string out;
  uint64_t total = 0;
  for (size_t i = 0; i < histogram.buckets().size(); ++i) {
    total += histogram.buckets()[i];
    const std::string bound =
        i < histogram.bounds().size() ? Number(histogram.bounds()[i]) : "+Inf";
    out += Line(fmt::format("{}_bucket", name),
                fmt::format("{}{}le=\"{}\"", labels, labels.empty() ? "" : ",", bound),
                fmt::format("{}", total));
  }
  out += Line(fmt::format("{}_sum", name), labels, Number(histogram.sum()));
  out += Line(fmt::format("{}_count", name), labels, fmt::format("{}", histogram.count()));
  return out;
}

}  // namespace

void Counter::Increment(double by) {
  CALICO_CHECK(by >= 0);
  value_ += by;
}

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {
  CALICO_CHECK(std::is_sorted(bounds_.begin(), bounds_.end(), std::less_equal<>()));
}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++buckets_[static_cast<size_t>(bucket - bounds_.begin())];
  ++count_;
  sum_ += value;
}

std::vector<double> ExponentialBounds(double first, double factor, int count) {
  CALICO_CHECK(first > 0 && factor > 1);
  std::vector<double> bounds;
  for (double bound = first; count > 0; --count, bound *= factor) bounds.push_back(bound);
  return bounds;
}

// One line of the text form, or the lines of one histogram. Exactly one of the four is used.
struct Registry::Series {
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> callback;
};

struct Registry::Family {
  std::string help;
  std::string type;
  // By label text. A map, because its elements keep their addresses.
  std::map<std::string, Series> series;
  GaugeSet set;  // instead of series
};

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Series& Registry::Add(std::string_view name, std::string_view help, std::string_view type,
                                const Labels& labels) {
  CALICO_CHECK(IsMetricName(name));
  const auto [family, is_new] = families_.try_emplace(std::string(name));
  if (is_new) {
    family->second.help = help;
    family->second.type = type;
  }
  CALICO_CHECK(family->second.help == help && family->second.type == type);
  const auto [series, added] = family->second.series.try_emplace(LabelText(labels));
  CALICO_CHECK(added);
  return series->second;
}

Counter& Registry::AddCounter(std::string_view name, std::string_view help, const Labels& labels) {
  return Add(name, help, "counter", labels).counter;
}

Gauge& Registry::AddGauge(std::string_view name, std::string_view help, const Labels& labels) {
  return Add(name, help, "gauge", labels).gauge;
}

Histogram& Registry::AddHistogram(std::string_view name, std::string_view help,
                                  std::vector<double> bounds, const Labels& labels) {
  Series& series = Add(name, help, "histogram", labels);
  series.histogram = std::make_unique<Histogram>(std::move(bounds));
  return *series.histogram;
}

void Registry::AddCounterCallback(std::string_view name, std::string_view help,
                                  std::function<double()> value, const Labels& labels) {
  CALICO_CHECK(value != nullptr);
  Add(name, help, "counter", labels).callback = std::move(value);
}

void Registry::AddGaugeCallback(std::string_view name, std::string_view help,
                                std::function<double()> value, const Labels& labels) {
  CALICO_CHECK(value != nullptr);
  Add(name, help, "gauge", labels).callback = std::move(value);
}

void Registry::AddGaugeSetCallback(std::string_view name, std::string_view help, GaugeSet values) {
  CALICO_CHECK(IsMetricName(name) && values != nullptr);
  const auto [family, is_new] = families_.try_emplace(std::string(name));
  CALICO_CHECK(is_new);
  family->second.help = help;
  family->second.type = "gauge";
  family->second.set = std::move(values);
}

std::string Registry::Expose() const {
  std::string out;
  for (const auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, Escape(family.help, false), name,
                       family.type);
    if (family.set != nullptr) {
      std::map<std::string, double> values;
      for (const auto& [labels, value] : family.set()) values.emplace(LabelText(labels), value);
      for (const auto& [labels, value] : values) out += Line(name, labels, Number(value));
    }
    for (const auto& [labels, series] : family.series) {
      if (series.histogram != nullptr) {
        out += metrics::Expose(name, labels, *series.histogram);
        continue;
      }
      if (!series.gauge.is_shown()) continue;
      const double value = series.callback          ? series.callback()
                           : family.type == "gauge" ? series.gauge.value()
                                                    : series.counter.value();
      out += Line(name, labels, Number(value));
    }
  }
  return out;
}

}  // namespace calico::metrics
