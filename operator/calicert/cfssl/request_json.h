// A certificate request as people write it in JSON, in cfssl's format:
//
//   {"CN": "etcd-1", "hosts": ["10.0.0.5"], "key": {"algo": "ecdsa", "size": 256},
//    "names": [{"C": "DE", "O": "Example"}], "ca": {"expiry": "87600h"}}
//
// The same file gives the same request as cfssl gives, with what is likely a mistake named by line
// and column. `ca` counts only where a CA is made.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_REQUEST_JSON_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_REQUEST_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/codec/located_json.h"
#include "pkg/pki/compose/composition.h"

namespace calico::calicert::cfssl {

// As written: MakeKey (issuing.h) judges it.
struct KeyRequest {
  std::string algorithm = "ecdsa";  // "rsa", "ecdsa", "ed25519"
  int size = 256;
  std::string where;  // "req.json:3:10: " for messages; empty when no file says it
};

// One entry of `names`. Empty texts are absent.
struct NameEntry {
  std::string country;                   // C
  std::string state;                     // ST
  std::string locality;                  // L
  std::string organization;              // O
  std::string organizational_unit;       // OU
  std::string email;                     // E
  std::vector<pki::NameAttribute> oids;  // OID: {"1.2.3": "value"}
};

// The part of a request that SUBJECT files of `sign` have, too.
struct Subject {
  std::string common_name;
  std::string serial_number;
  std::vector<NameEntry> names;

  // C, ST, L, O, OU, CN, serialNumber, then identifiers and e-mail addresses; what several entries
  // have of one type is one multi-valued name. Empty: nobody.
  pki::SubjectName Name() const;
};

struct CaSection {
  std::optional<absl::Duration> expiry;  // positive
  std::optional<absl::Duration> backdate;
  std::optional<int> path_length;  // absent: no limit
  codec::Location location;        // of the key `ca`
};

struct Request {
  Subject subject;
  // Of `hosts`.
  pki::AlternativeNameLists names;
  KeyRequest key;
  std::optional<CaSection> ca;
  std::string crl_url;
  std::vector<pki::RawExtension> extensions;
  // As messages name it.
  std::string file = "request";
};

struct ReadRequest {
  Request request;
  std::vector<std::string> warnings;  // "req.json:4:3: unknown key ..."
};

// `file` is how messages name the text; "-" becomes "standard input".
// Errors: InvalidArgument, every problem on a line of its own with file, line and column: JSON that
// does not parse, a key of the wrong type, a host that is none, an expiry that is none or not
// positive, an extension that is no DER; and a file that asks for nothing: no CN, names or hosts,
// but other keys.
absl::StatusOr<ReadRequest> ParseRequest(std::string_view text, std::string_view file);

// One request of several.
struct ListedRequest {
  Request request;
  std::string name;     // key `name`; else the CN
  std::string profile;  // key `profile`; may be empty
};
struct ReadRequestList {
  std::vector<ListedRequest> requests;
  std::vector<std::string> warnings;
};
// A list of requests, each with `name` and `profile` beside the other keys.
// Errors: as ParseRequest, the paths beginning with "[3]."; more than 100,000 entries, no entry.
absl::StatusOr<ReadRequestList> ParseRequestList(std::string_view text, std::string_view file);

struct ReadSubject {
  Subject subject;
  std::vector<std::string> warnings;
};
// A SUBJECT file: CN, names and serialnumber of a request.
absl::StatusOr<ReadSubject> ParseSubject(std::string_view text, std::string_view file);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_REQUEST_JSON_H_
