// Metrics of one program and their Prometheus text form (exposition format 0.0.4). No I/O.
//
//   metrics::Registry registry;
//   metrics::Counter& denials = registry.AddCounter("signer_denials_total", "Requests denied.",
//                                                   {{"signer", "calico"}});
//   denials.Increment();
//   registry.Expose();   // "# HELP signer_denials_total Requests denied.\n# TYPE ..."
//
// Every series is added at start, so that it shows with zero before anything has happened, save a
// hidden gauge. Label values come from a closed set (controller, result), never from object names.
// Names end in _total for counters, in the unit (_seconds, _bytes) for what has one.
#ifndef CALICO_PKG_METRICS_REGISTRY_H_
#define CALICO_PKG_METRICS_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace calico::metrics {

// Names and values in the order in which they are shown.
using Labels = std::vector<std::pair<std::string, std::string>>;

// Only grows.
class Counter {
 public:
  // Requires: by >= 0.
  void Increment(double by = 1);
  double value() const { return value_; }

 private:
  double value_ = 0;
};

class Gauge {
 public:
  void Set(double value) {
    value_ = value;
    is_shown_ = true;
  }
  void Add(double by) { Set(value_ + by); }
  // Not shown until the next Set or Add: what it is about is not there.
  void Hide() { is_shown_ = false; }
  double value() const { return value_; }
  bool is_shown() const { return is_shown_; }

 private:
  double value_ = 0;
  bool is_shown_ = true;
};

class Histogram {
 public:
  // `bounds`: upper bounds of the buckets, rising, without +Inf.
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);
  uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  const std::vector<double>& bounds() const { return bounds_; }
  // Observations per bucket, not added up; the last one is +Inf.
  const std::vector<uint64_t>& buckets() const { return buckets_; }

 private:
  std::vector<double> bounds_;
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  double sum_ = 0;
};

// `count` bounds: first, first * factor, ...
std::vector<double> ExponentialBounds(double first, double factor, int count);

// Threading: event loop thread only, the metrics included. Lifetime: the metrics live as long as
// the registry. A name that is not a metric name, a series added twice and one name with two types
// or help texts are check failures: metrics are declared by our own code.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& AddCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& AddHistogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                          const Labels& labels = {});
  // The value is asked for when the metrics are read. `value` must stay callable as long as the
  // registry lives.
  void AddCounterCallback(std::string_view name, std::string_view help,
                          std::function<double()> value, const Labels& labels = {});
  void AddGaugeCallback(std::string_view name, std::string_view help, std::function<double()> value,
                        const Labels& labels = {});
  // Series that come and go, of something small and bounded such as our own certificates. `values`
  // is asked when the metrics are read.
  using GaugeSet = std::function<std::vector<std::pair<Labels, double>>()>;
  void AddGaugeSetCallback(std::string_view name, std::string_view help, GaugeSet values);

  // All metrics, sorted by name.
  std::string Expose() const;

 private:
  struct Series;
  struct Family;

  Series& Add(std::string_view name, std::string_view help, std::string_view type,
              const Labels& labels);

  std::map<std::string, Family, std::less<>> families_;
};

// What Expose's text is: the Content-Type of /metrics.
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace calico::metrics

#endif  // CALICO_PKG_METRICS_REGISTRY_H_
