#include "pkg/codec/time.h"

#include <cstdint>

#include <absl/status/status.h>
#include <absl/time/civil_time.h>
#include <fmt/format.h>

namespace calico::codec {
namespace {

// Reads a fixed layout from the front of a text; the first mismatch makes ok() false for good.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  int Digits(std::size_t count) {
    if (text_.size() < count) ok_ = false;
    int value = 0;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') ok_ = false;
      value = value * 10 + (text_[i] - '0');
    }
    if (ok_) text_.remove_prefix(count);
    return value;
  }
  void Expect(char c) {
    if (!Skip(c)) ok_ = false;
  }
  bool Skip(char c) {
    if (!ok_ || text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Nanoseconds of the one to nine digits that follow.
  std::int64_t Fraction() {
    std::int64_t value = 0;
    int digits = 0;
    while (ok_ && !text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      if (++digits > 9) ok_ = false;
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    if (digits == 0) ok_ = false;
    for (; digits < 9; ++digits) value *= 10;
    return value;
  }
  void Check(bool condition) { ok_ = ok_ && condition; }
  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

absl::Duration ReadOffset(Cursor& cursor) {
  if (cursor.Skip('Z')) return absl::ZeroDuration();
  const int sign = cursor.Skip('-') ? -1 : 1;
  if (sign == 1) cursor.Expect('+');
  const int hours = cursor.Digits(2);
  cursor.Expect(':');
  const int minutes = cursor.Digits(2);
  cursor.Check(hours < 24 && minutes < 60);
  return sign * (absl::Hours(hours) + absl::Minutes(minutes));
}

absl::CivilSecond Civil(absl::Time time) { return absl::ToCivilSecond(time, absl::UTCTimeZone()); }

}  // namespace

absl::StatusOr<absl::Time> ParseTime(std::string_view text) {
  Cursor cursor(text);
  const int year = cursor.Digits(4);
  cursor.Expect('-');
  const int month = cursor.Digits(2);
  cursor.Expect('-');
  const int day = cursor.Digits(2);
  cursor.Expect('T');
  const int hour = cursor.Digits(2);
  cursor.Expect(':');
  const int minute = cursor.Digits(2);
  cursor.Expect(':');
  const int second = cursor.Digits(2);
  const absl::Duration fraction = absl::Nanoseconds(cursor.Skip('.') ? cursor.Fraction() : 0);
  const absl::Duration offset = ReadOffset(cursor);
  // CivilSecond normalises what does not exist, such as February 30.
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  cursor.Check(cursor.at_end() && civil.month() == month && civil.day() == day &&
               civil.hour() == hour && civil.minute() == minute && civil.second() == second);
  if (!cursor.ok()) return absl::InvalidArgumentError("parse time: expected RFC 3339");
  return absl::FromCivil(civil, absl::UTCTimeZone()) + fraction - offset;
}

std::string EncodeTime(absl::Time time) {
  const absl::CivilSecond civil = Civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", civil.year(), civil.month(),
                     civil.day(), civil.hour(), civil.minute(), civil.second());
}

std::string EncodeMicroTime(absl::Time time) {
  const std::string seconds = EncodeTime(time);
  const absl::Duration fraction = time - absl::FromCivil(Civil(time), absl::UTCTimeZone());
  return fmt::format("{}.{:06}Z", std::string_view(seconds).substr(0, seconds.size() - 1),
                     fraction / absl::Microseconds(1));
}

}  // namespace calico::codec
