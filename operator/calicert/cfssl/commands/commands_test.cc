#include "operator/calicert/cfssl/commands/commands.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/testing/run.h"
#include "pkg/base/base64.h"
#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert::cfssl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// The program as the words of a command line.
RunResult RunCfsslWords(const std::vector<const char*>& words) {
  return RunOnTerminal({}, [&](Terminal& terminal) {
    return RunCfssl(static_cast<int>(words.size()), words.data(), terminal);
  });
}

// A folder with a CA and a configuration.
class CfsslTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/cfsslXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const RunResult made = Cfssl({"gencert", "-initca", "-"}, R"({"CN": "CA"})");
    ASSERT_EQ(made.code, 0) << made.err;
    ASSERT_EQ(Json({"-bare", Path("ca")}, made.out).code, 0);
    Write("config.json", R"({"signing": {
        "default": {"expiry": "8760h", "usages": ["signing", "server auth"]},
        "profiles": {"client": {"expiry": "1h", "usages": ["signing", "client auth"]},
                     "ca": {"expiry": "1h", "usages": ["cert sign", "crl sign"],
                            "ca_constraint": {"is_ca": true}}}}})");
    Write("leaf.json", R"({"CN": "leaf", "hosts": ["leaf.example.com"]})");
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name)) << content;
    return Path(name);
  }
  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(Path(name)).rdbuf();
    return text.str();
  }
  mode_t ModeOf(const std::string& name) const {
    struct stat status{};
    return stat(Path(name).c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
  }
  RunResult Cfssl(const std::vector<std::string>& words, const std::string& in = "",
                  std::map<std::string, std::string> environment = {}) const {
    return RunWords(CfsslCommands(), words,
                    {.in = in, .environment = std::move(environment), .program = "cfssl"});
  }
  RunResult Json(const std::vector<std::string>& words, const std::string& in) const {
    return RunWords(CfssljsonProgram(), words, {.in = in, .program = "cfssljson"});
  }
  // gencert with the CA.
  RunResult Gencert(std::vector<std::string> words, const std::string& in = "") const {
    words.insert(words.begin(), {"gencert", "-ca", Path("ca.pem"), "-ca-key", Path("ca-key.pem")});
    return Cfssl(words, in);
  }
  static std::string Member(const RunResult& result, const std::string& name) {
    const auto object = codec::ParseJsonObject(result.out);
    return object.ok() ? std::string(codec::TextAt(*object, name)) : "";
  }
  static pki::Certificate CertificateOf(const RunResult& result) {
    return *pki::Certificate::ParsePem(Member(result, "cert"));
  }

  std::string folder_;
};

TEST_F(CfsslTest, GenkeyPrintsKeyAndRequestWithTheLogOfCfssl) {
  const RunResult result = Cfssl({"genkey", "-"}, R"({"CN": "a", "hosts": ["h.example.com"]})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, MatchesRegex("\\{\"csr\":\"[^\"]*\",\"key\":\"[^\"]*\"\\}\n"));
  EXPECT_THAT(Member(result, "key"), StartsWith("-----BEGIN EC PRIVATE KEY-----\n"));
  const auto csr = pki::CertificateRequest::ParsePem(Member(result, "csr"));
  ASSERT_TRUE(csr.ok());
  EXPECT_THAT(csr->dns_names(), ElementsAre("h.example.com"));
  EXPECT_THAT(result.err,
              MatchesRegex("....(/..){2} ..(:..){2} \\[INFO\\] generate received request\n"
                           "[^\n]* \\[INFO\\] received CSR\n"
                           "[^\n]* \\[INFO\\] generating key: ecdsa-256\n"
                           "[^\n]* \\[INFO\\] encoded CSR\n"));
}

TEST_F(CfsslTest, LogLevelLeavesLinesOut) {
  const RunResult result = Cfssl({"genkey", "-loglevel=3", "-"}, R"({"CN": "a", "x": 1})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(CfsslTest, WrongCommandLinesSayWhatToWrite) {
  struct Case {
    std::vector<std::string> words;
    int code;
    const char* text;
  };
  const std::string leaf = Path("leaf.json");
  const Case kCases[] = {
      {{"genkey"}, 1, "not enough arguments are supplied"},
      {{"genkey", "/nowhere.json"}, 1, "open /nowhere.json: no such file or directory"},
      {{"genkey", leaf, "more.json"}, 1, "only one argument is accepted"},
      {{"genkey", leaf, "-initca"}, 1, "flags stand before FILE"},
      {{"genkey", "-nonsense", leaf}, 2, "-nonsense: unknown flag"},
      {{"gencert", leaf}, 1, "need a CA certificate (provide one with -ca)"},
      {{"gencert", "-ca", Path("ca.pem"), leaf}, 1, "need a CA key (provide one with -ca-key)"},
      {{"gencert", "-remote", "ca.example.com", leaf}, 1, "-remote: signing servers are not"},
      {{"gencert", "-hostname", "a", "b", leaf}, 1, "several hosts are one word: -hostname a,b"},
      {{"gencert", "-renewca"}, 1, "-renewca needs -ca and -ca-key"},
      {{"sign"}, 1, "not enough arguments are supplied"},
      {{"selfsign", leaf}, 1, "not enough arguments are supplied"},
      {{"gencsr", leaf}, 1, "provide one with -key"},
      {{"certinfo"}, 1, "Must specify certinfo target"},
      {{"certinfo", "-domain", "example.com"}, 1, "calicert inspect example.com:443"},
      {{"bundle"}, 1, "Must specify bundle target"},
      {{"info"}, 1, "Either -remote or -config must be given"},
      {{"print-defaults"}, 1, "not enough arguments are supplied"},
      {{"gencrl", leaf, leaf}, 1, "not enough arguments are supplied"},
      {{"crl", "-db-config", "x"}, 1, "use gencrl"},
      {{"sign", leaf, "-config", "x"}, 1, "flags stand before it: sign -config"},
      {{"sign", "-db-config", "x", "-csr", Path("ca.csr")}, 1, "nothing would be recorded"},
      {{"genkey", "-config", "/nowhere", leaf}, 1, "could not read configuration file"},
  };
  for (const Case& c : kCases) {
    const RunResult result = Cfssl(c.words);
    EXPECT_EQ(result.code, c.code) << c.text;
    EXPECT_THAT(result.err, HasSubstr(c.text));
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(CfsslTest, AnUnknownCommandEndsWithOne) {
  const RunResult unknown = RunCfsslWords({"cfssl", "genkay"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"genkey\"?"));
  const RunResult none = RunCfsslWords({"cfssl"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("No command is given."));
}

TEST_F(CfsslTest, FlagsOfOtherCommandsAreTakenWithAWarning) {
  const RunResult result =
      Cfssl({"genkey", "-label", "x", "-db-config=y", "-profile", "z", Path("leaf.json")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("[WARNING] -profile: genkey does not look at it"));
  EXPECT_THAT(result.err, HasSubstr("[WARNING] -db-config: genkey does not look at it"));
  EXPECT_THAT(Gencert({Path("leaf.json")}).err, Not(HasSubstr("does not look")));
}

TEST_F(CfsslTest, AFlagInPlaceOfAValueIsNamed) {
  EXPECT_THAT(Cfssl({"gencert", "-ca", "-ca-key", Path("ca-key.pem"), Path("leaf.json")}).err,
              HasSubstr("-ca: \"-ca-key\" is taken as its value: is a value missing before it?"));
}

TEST_F(CfsslTest, AnyLogLevelIsTaken) {
  EXPECT_EQ(Cfssl({"genkey", "-loglevel=-1", Path("leaf.json")}).code, 0);
  EXPECT_THAT(Cfssl({"genkey", "-loglevel", "7", Path("leaf.json")}).err, IsEmpty());
}

TEST_F(CfsslTest, CommandsThatAreNotThereSayWhatToDo) {
  for (const char* const name :
       {"serve", "scan", "revoke", "ocspsign", "ocspserve", "ocspdump", "ocsprefresh"}) {
    const RunResult result = RunCfsslWords({"cfssl", name, "-address=0.0.0.0"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, StartsWith("cfssl " + std::string(name) + " is not supported: "));
  }
}

TEST_F(CfsslTest, InitCaGivesThreeParts) {
  const RunResult result = Cfssl({"gencert", "-initca", "-cn", "Other", "-"}, R"({"CN": "CA"})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("generating a new CA key and certificate from CSR"));
  EXPECT_THAT(result.err, HasSubstr("signed certificate with serial number "));
  EXPECT_EQ(CertificateOf(result).common_name(), "Other");
  EXPECT_THAT(Member(result, "key"), Not(IsEmpty()));
}

TEST_F(CfsslTest, InitCaWithAKeyKeepsIt) {
  const RunResult result =
      Cfssl({"gencert", "-initca", "-ca-key", Path("ca-key.pem"), "-"}, R"({"CN": "CA"})");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("re-generate a CA certificate from CSR and CA key"));
  EXPECT_THAT(Member(result, "key"), IsEmpty());
  EXPECT_EQ(CertificateOf(result).subject_key_id(),
            pki::Certificate::ParsePem(Read("ca.pem"))->subject_key_id());
}

TEST_F(CfsslTest, InitCaSaysThatAConfigurationIsNotLookedAt) {
  const RunResult result =
      Cfssl({"gencert", "-initca", "-config", Path("config.json"), "-"}, R"({"CN": "CA"})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("-config is not looked at with -initca"));
  EXPECT_EQ(Cfssl({"gencert", "-initca", "-config", "/nowhere", "-"}, R"({"CN": "CA"})").code, 1);
}

TEST_F(CfsslTest, InitCaSaysWhatHasNoEffect) {
  const RunResult result =
      Cfssl({"gencert", "-initca", "-ca", Path("ca.pem"), "-hostname=x", "-profile=y", "-"},
            R"({"CN": "CA"})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("-hostname is not looked at with -initca: IP addresses of a CA are"),
                    HasSubstr("-profile is not looked at with -initca"),
                    HasSubstr("-ca is not looked at with -initca: the CA signs itself; leave")));
}

TEST_F(CfsslTest, RenewCaGivesACertificateAlone) {
  const RunResult result =
      Cfssl({"gencert", "-renewca", "-ca", Path("ca.pem"), "-ca-key", Path("ca-key.pem")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(CertificateOf(result).subject(), "CN=CA");
  EXPECT_THAT(Member(result, "csr") + Member(result, "key"), IsEmpty());
}

TEST_F(CfsslTest, GencertSaysWhichProfileAndWhatItAllows) {
  const RunResult result =
      Gencert({"-config", Path("config.json"), "-profile", "client", Path("leaf.json")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("[INFO] profile client ("));
  EXPECT_THAT(result.err,
              HasSubstr("signing, client auth; no CA; 1h, until 2027-01-15T08:55:00Z\n"));
  EXPECT_THAT(CertificateOf(result).extended_key_usages(), ElementsAre(pki::kOidClientAuth));
}

TEST_F(CfsslTest, LacksHostsOnlyWhenTrue) {
  const std::string nobody = R"({"CN": "x"})";
  EXPECT_THAT(Gencert({"-"}, nobody).err, HasSubstr("lacks a \"hosts\" field"));
  EXPECT_THAT(Gencert({"-hostname", "h", "-"}, nobody).err, Not(HasSubstr("lacks")));
  EXPECT_THAT(Gencert({"-config", Path("config.json"), "-profile", "client", "-"}, nobody).err,
              Not(HasSubstr("lacks")));
  EXPECT_THAT(Gencert({"-config", Path("config.json"), "-profile", "ca", "-"}, nobody).err,
              Not(HasSubstr("lacks")));
}

TEST_F(CfsslTest, ACaSectionOutsideOfInitCaIsNamed) {
  const std::string request = Write("ca-leaf.json", "{\"CN\": \"x\",\n \"ca\": {\"pathlen\": 1}}");
  for (const RunResult& result : {Gencert({request}), Cfssl({"genkey", request})}) {
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("ca section only permitted in initca: " + request + ":2:"));
    EXPECT_THAT(result.err, HasSubstr("leave it out; what a CA below another may do"));
  }
}

TEST_F(CfsslTest, ConfigurationErrorsKeepTheirCode) {
  const std::string config = Write("bad.json", R"({"signing": {"default": {"expiry": "1y"}}})");
  const RunResult result = Gencert({"-config", config, Path("leaf.json")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, StartsWith("Failed to load config file: {\"code\":5200,\"message\":\""));
  EXPECT_THAT(result.err, HasSubstr("signing.default.expiry"));
  EXPECT_THAT(Gencert({"-config", "/nowhere", Path("leaf.json")}).err,
              HasSubstr("could not read configuration file"));
}

TEST_F(CfsslTest, SourcesMayBeVariables) {
  const RunResult result = Cfssl(
      {"gencert", "-ca", "env:CA", "-ca-key", "file:" + Path("ca-key.pem"), Path("leaf.json")}, "",
      {{"CA", Read("ca.pem")}});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(Cfssl({"gencert", "-ca", "env:CA", "-ca-key", "x", Path("leaf.json")}).err,
              HasSubstr("environment variable CA is not set"));
}

TEST_F(CfsslTest, BatchMakesOneLineEach) {
  const std::string batch = Write("batch.json", R"([
      {"name": "one", "CN": "a", "hosts": ["a.example.com"]},
      {"CN": "b", "profile": "client"}])");
  const RunResult result = Gencert({"-config", Path("config.json"), "-batch", batch});
  ASSERT_EQ(result.code, 0) << result.err;
  std::istringstream lines(result.out);
  std::string first;
  std::string second;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_EQ(codec::TextAt(*codec::ParseJsonObject(first), "name"), "one");
  const RunResult other{.out = second};
  EXPECT_EQ(Member(other, "name"), "b");
  EXPECT_THAT(CertificateOf(other).extended_key_usages(), ElementsAre(pki::kOidClientAuth));
  EXPECT_THAT(result.err, HasSubstr("signed 2 certificates"));

  Write("batch.json", R"([{"CN": "a"}, {"CN": "b", "hosts": ["b:1"]}])");
  EXPECT_THAT(Gencert({"-batch", batch}).err, HasSubstr(":1:37: [1].hosts[0]: \"b:1\""));
  Write("batch.json", R"([{"CN": "a"}, {"CN": "b", "key": {"algo": "dsa"}}])");
  EXPECT_THAT(Gencert({"-batch", batch}).err, HasSubstr("\"b\": {\"code\":2400"));
}

TEST_F(CfsslTest, SignTakesRequestsSubjectsAndHosts) {
  const RunResult key = Cfssl({"genkey", "-"}, R"({"CN": "old", "hosts": ["old.example.com"]})");
  Write("r.csr", Member(key, "csr"));
  const std::string subject = Write("subject.json", R"({"CN": "new", "names": [{"O": "x"}]})");
  const std::vector<std::string> ca = {"sign", "-ca", Path("ca.pem"), "-ca-key",
                                       Path("ca-key.pem")};
  const auto with = [&ca](std::vector<std::string> words) {
    words.insert(words.begin(), ca.begin(), ca.end());
    return words;
  };
  const RunResult plain = Cfssl(with({Path("r.csr")}));
  ASSERT_EQ(plain.code, 0) << plain.err;
  EXPECT_EQ(CertificateOf(plain).common_name(), "old");
  EXPECT_EQ(Member(plain, "csr"), Read("r.csr"));
  const RunResult changed =
      Cfssl(with({"-hostname", "a.example.com, b.example.com", "-csr", Path("r.csr"), subject}));
  ASSERT_EQ(changed.code, 0) << changed.err;
  EXPECT_EQ(CertificateOf(changed).subject(), "CN=new,O=x");
  EXPECT_THAT(CertificateOf(changed).dns_names(), ElementsAre("a.example.com", "b.example.com"));
  EXPECT_THAT(Cfssl(with({Path("ca.pem")})).err,
              HasSubstr("{\"code\":9300,\"message\":\"not a certificate or csr"));
  EXPECT_THAT(Cfssl(with({Path("leaf.json")})).err,
              AllOf(HasSubstr("{\"code\":9002"), HasSubstr("leaf.json: this is JSON")));
  // `kubectl get csr -o jsonpath` without base64 --decode.
  Write("b64", base::Base64Encode(Member(key, "csr")));
  EXPECT_THAT(Cfssl(with({Path("b64")})).err, HasSubstr("pipe it through base64 --decode"));
  EXPECT_THAT(Cfssl(with({"-"})).err, HasSubstr("standard input: it is empty"));
}

TEST_F(CfsslTest, ASubjectFileReplacesOnlyWhatItHas) {
  const RunResult key = Cfssl(
      {"genkey", "-"},
      R"({"CN": "old", "serialnumber": "7", "names": [{"C": "DE", "O": "org", "OU": "unit"}]})");
  Write("r.csr", Member(key, "csr"));
  const auto subject_with = [&](const std::string& json) {
    return CertificateOf(Cfssl({"sign", "-ca", Path("ca.pem"), "-ca-key", Path("ca-key.pem"),
                                Path("r.csr"), Write("s.json", json)}))
        .subject();
  };
  EXPECT_EQ(subject_with(R"({"CN": "new"})"), "serialNumber=7,CN=new,OU=unit,O=org,C=DE");
  EXPECT_EQ(subject_with(R"({"names": [{"OU": "a"}]})"), "serialNumber=7,CN=old,OU=a,O=org,C=DE");
  EXPECT_EQ(subject_with("{}"), "serialNumber=7,CN=old,OU=unit,O=org,C=DE");
}

TEST_F(CfsslTest, SelfsignPutsTheHostIn) {
  const RunResult result = Cfssl({"selfsign", "self.example.com", Path("leaf.json")});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("*** WARNING ***\n\nSelf-signed certificates are dangerous."));
  EXPECT_THAT(CertificateOf(result).dns_names(),
              ElementsAre("self.example.com", "leaf.example.com"));
  EXPECT_TRUE(CertificateOf(result).is_self_signed());
}

TEST_F(CfsslTest, SelfsignTakesTheHostAsAFlag) {
  const RunResult result = Cfssl({"selfsign", "-hostname=self.example.com", Path("leaf.json")});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(CertificateOf(result).dns_names(),
              ElementsAre("self.example.com", "leaf.example.com"));
}

TEST_F(CfsslTest, SelfsignLooksAtNamedProfilesOnly) {
  const auto usages = [this](const std::vector<std::string>& flags) {
    std::vector<std::string> words = {"selfsign", "-config", Path("config.json")};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"h", Path("leaf.json")});
    return CertificateOf(Cfssl(words)).extended_key_usages();
  };
  EXPECT_THAT(usages({"-profile=client"}), ElementsAre(pki::kOidClientAuth));
  EXPECT_THAT(usages({}), ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  EXPECT_THAT(usages({"-profile=nobody"}), ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
}

TEST_F(CfsslTest, SelfsignSaysThatItMakesNoCa) {
  const RunResult result = Cfssl({"selfsign", "h", "-"}, R"({"CN": "x", "ca": {"expiry": "1h"}})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("standard input:1:19: ca: selfsign makes no CA"));
  EXPECT_FALSE(CertificateOf(result).is_ca());
}

TEST_F(CfsslTest, GencsrAsksForTheSameAgain) {
  const RunResult leaf = Gencert({"-"}, R"({"CN": "x", "names": [{"O": "o", "OU": "u"}],
                                            "hosts": ["x.example.com", "10.0.0.1"]})");
  Write("x.pem", Member(leaf, "cert"));
  Write("x-key.pem", Member(leaf, "key"));
  const RunResult result = Cfssl({"gencsr", "-key", Path("x-key.pem"), "-cert", Path("x.pem")});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto csr = pki::CertificateRequest::ParsePem(Member(result, "csr"));
  ASSERT_TRUE(csr.ok());
  EXPECT_EQ(csr->subject_text(), "CN=x,OU=u,O=o");
  EXPECT_THAT(csr->dns_names(), ElementsAre("x.example.com"));
  EXPECT_EQ(Member(result, "key"), Member(leaf, "key"));
}

TEST_F(CfsslTest, CertinfoHasTheFieldsThatScriptsRead) {
  const RunResult result = Cfssl({"certinfo", "-cert", Path("ca.pem")});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out,
              StartsWith("{\n  \"subject\": {\n    \"common_name\": \"CA\",\n    \"names\": "
                         "[\n      \"CA\"\n    ]\n  },\n  \"issuer\": {"));
  EXPECT_EQ(Member(result, "sigalg"), "ECDSAWithSHA256");
  EXPECT_EQ(Member(result, "not_before"), "2027-01-15T07:55:00Z");
  EXPECT_EQ(Member(result, "pem"), Read("ca.pem"));
  EXPECT_THAT(Member(result, "subject_key_id"), MatchesRegex("([0-9A-F]{2}:){19}[0-9A-F]{2}"));
  EXPECT_THAT(Cfssl({"certinfo", "-csr", Path("ca.csr")}).out, HasSubstr("\"CommonName\": \"CA\""));
  EXPECT_THAT(Cfssl({"certinfo", "-cert", Path("leaf.json")}).err, HasSubstr("{\"code\":1002"));
}

TEST_F(CfsslTest, BundleFindsTheWayUp) {
  const RunResult sub =
      Gencert({"-config", Path("config.json"), "-profile", "ca", "-"}, R"({"CN": "sub"})");
  Write("sub.pem", Member(sub, "cert"));
  Write("sub-key.pem", Member(sub, "key"));
  Write("short.json", R"({"signing": {"default": {"expiry": "30m", "usages": ["server auth"]}}})");
  const RunResult leaf = Cfssl({"gencert", "-ca", Path("sub.pem"), "-ca-key", Path("sub-key.pem"),
                                "-config", Path("short.json"), Path("leaf.json")});
  Write("leaf.pem", Member(leaf, "cert"));
  const RunResult result = Cfssl({"bundle", "-cert", Path("leaf.pem"), "-ca-bundle", Path("ca.pem"),
                                  "-int-bundle", Path("sub.pem")});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Member(result, "bundle") + "\n", Read("leaf.pem") + Read("sub.pem"));
  EXPECT_EQ(Member(result, "root") + "\n", Read("ca.pem"));
  EXPECT_THAT(
      Cfssl({"bundle", "-cert", Path("leaf.pem"), "-ca-bundle", Path("ca.pem")}).err,
      HasSubstr("{\"code\":1220,\"message\":\"x509: certificate signed by unknown authority"));
  EXPECT_THAT(Cfssl({"bundle", "-cert", Path("ca.pem")}).err, HasSubstr("{\"code\":1100"));
  Write("leaf-key.pem", Member(leaf, "key"));
  EXPECT_EQ(Member(Cfssl({"bundle", "-flavor=force", "-cert", Path("leaf.pem"), "-key",
                          Path("leaf-key.pem"), "-ca-bundle", Path("ca.pem")}),
                   "key") +
                "\n",
            Read("leaf-key.pem"));
  const std::vector<std::string> bundle = {"bundle", "-cert", Path("leaf.pem")};
  const auto err_with = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), bundle.begin(), bundle.end());
    return Cfssl(flags).err;
  };
  EXPECT_THAT(err_with({"-ca-bundle", "/nowhere"}), HasSubstr("{\"code\":4001,\"message\":\"open"));
  EXPECT_THAT(err_with({"-ca-bundle", Path("ca.pem"), "-int-bundle", "/nowhere"}),
              HasSubstr("{\"code\":3001"));
  EXPECT_THAT(err_with({"-ca-bundle", Path("leaf.json")}), HasSubstr("{\"code\":4003"));
  EXPECT_THAT(
      err_with({"-ca-bundle", Path("ca.pem"), "-int-bundle", Path("sub.pem"), "-flavor=none"}),
      HasSubstr("-flavor \"none\" is taken as optimal"));
}

TEST_F(CfsslTest, DefaultsAreGoodInput) {
  const RunResult config = Cfssl({"print-defaults", "config"});
  const RunResult request = Cfssl({"print-defaults", "csr"});
  Write("d-config.json", config.out);
  Write("d-csr.json", request.out);
  const RunResult result =
      Gencert({"-config", Path("d-config.json"), "-profile", "www", Path("d-csr.json")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(CertificateOf(result).subject(), "CN=example.net,L=San Francisco,ST=CA,C=US");
  EXPECT_THAT(Cfssl({"print-defaults", "x"}).out, HasSubstr("\tconfig\n\tcsr\n"));
}

TEST_F(CfsslTest, GencrlAndInfo) {
  const std::string serials = Write("serials", "12\n\n 34 \n");
  const RunResult list = Cfssl({"gencrl", serials, Path("ca.pem"), Path("ca-key.pem"), "3600"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, MatchesRegex("[A-Za-z0-9+/=]+\n"));
  Write("serials", "12\nab\n");
  EXPECT_THAT(Cfssl({"gencrl", serials, Path("ca.pem"), Path("ca-key.pem")}).err,
              HasSubstr("serials:2: \"ab\" is no serial number in decimal: from hexadecimal it is "
                        "171"));
  Write("serials", "12,13");
  EXPECT_THAT(Cfssl({"gencrl", serials, Path("ca.pem"), Path("ca-key.pem")}).err,
              HasSubstr("\"12,13\" is no serial number in decimal: one a line"));
  const RunResult info = Cfssl({"info", "-config", Path("config.json"), "-profile", "client"});
  EXPECT_EQ(info.out, R"({"certificate":"","usages":["signing","client auth"],"expiry":"1h"})");
}

TEST_F(CfsslTest, CfssljsonWritesFilesWithModes) {
  umask(022);
  const RunResult leaf = Gencert({Path("leaf.json")});
  Write("leaf-key.pem", "old and open to all");
  ASSERT_EQ(chmod(Path("leaf-key.pem").c_str(), 0644), 0);
  const RunResult result = Json({"-bare", Path("leaf")}, leaf.out);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out + result.err, IsEmpty());
  EXPECT_EQ(Read("leaf.pem"), Member(leaf, "cert"));
  EXPECT_EQ(Read("leaf-key.pem"), Member(leaf, "key"));
  EXPECT_EQ(Read("leaf.csr"), Member(leaf, "csr"));
  EXPECT_EQ(ModeOf("leaf-key.pem"), 0600U);
  EXPECT_EQ(ModeOf("leaf.pem"), 0644U);
  EXPECT_EQ(ModeOf("leaf.csr"), 0644U);
}

TEST_F(CfsslTest, CfssljsonTakesServersAnswersApart) {
  const std::string answer =
      R"({"success": true, "result": {"certificate": "C\n", "private_key": "K\n",
          "certificate_request": "R\n", "encrypted_key": "E", "bundle": {"bundle": "B", "root": "T"},
          "ocspResponse": "AAE="}, "errors": [], "messages": []})";
  const RunResult result = Json({Path("s")}, answer);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Read("s.pem"), "C\n");
  EXPECT_EQ(Read("s-key.pem"), "K\n");
  EXPECT_EQ(Read("s-key.enc"), "E");
  EXPECT_EQ(ModeOf("s-key.enc"), 0600U);
  EXPECT_EQ(Read("s.csr"), "R\n");
  EXPECT_EQ(Read("s-bundle.pem"), "B\nT");
  EXPECT_EQ(Read("s-root.pem"), "T");
  EXPECT_EQ(Read("s-response.der"), std::string("\x00\x01", 2));
  EXPECT_EQ(Json({"-stdout"}, answer).out, "C\n\nK\n\nE\nR\n\nB\nT\nT\nAAE=\n");
}

TEST_F(CfsslTest, CfssljsonFailsLoudly) {
  struct Case {
    std::vector<std::string> words;
    const char* in;
    const char* text;
  };
  const char* const refused =
      R"({"success": false, "result": null, "errors": [{"code": 1, "message": "bad"}]})";
  const Case kCases[] = {
      {{"-bare"}, "", "Failed to parse input: unexpected end of JSON input"},
      {{"-bare"}, "{", "Failed to parse input"},
      {{}, refused, "Request failed:\n\tbad"},
      {{"-bare"}, refused, "Request failed:\n\tbad"},
      {{}, R"({"cert": "x"})", "try -bare"},
      {{"-f", "/nowhere"}, "", "Failed to read input: open /nowhere: no such file"},
      {{"-bare", "/nowhere/x"},
       R"({"cert": "x"})",
       "open /nowhere/x.pem: no such file or directory"},
      {{"-bare"}, "{\n\"cert\": \"x\",}", "Failed to parse input: standard input:2:13: '}'"},
      {{"-bare"}, "[]", "Failed to parse input: standard input:1:1: must be an object"},
      {{"-bare"}, R"({"CN": "x", "key": {"algo": "rsa"}})", "\"key\" holds no text"},
      {{"-bare"}, R"({"cert": 1})", "\"cert\" holds no text"},
  };
  for (const Case& c : kCases) {
    const RunResult result = Json(c.words, c.in);
    EXPECT_EQ(result.code, 1) << c.text;
    EXPECT_THAT(result.err, HasSubstr(c.text));
  }
}

TEST_F(CfsslTest, CfssljsonTakesWordsBehindTheName) {
  const char* const answer = R"({"cert": "C"})";
  const RunResult dash = Json({"-bare", Path("dash"), "-"}, answer);
  EXPECT_EQ(dash.code, 0);
  EXPECT_THAT(dash.err, IsEmpty());
  EXPECT_EQ(Read("dash.pem"), "C");
  const RunResult flag = Json({"-bare", Path("flag"), "-stdout", "x"}, answer);
  EXPECT_EQ(flag.code, 0);
  EXPECT_THAT(flag.err, AllOf(HasSubstr("\"-stdout\" is not looked at: flags stand before"),
                              HasSubstr("\"x\" is not looked at: one name")));
  EXPECT_EQ(Read("flag.pem"), "C");
}

TEST_F(CfsslTest, CfssljsonSkipsAByteOrderMark) {
  EXPECT_EQ(Json({"-bare", Path("bom")}, "\xef\xbb\xbf{\"cert\": \"C\"}").code, 0);
  EXPECT_EQ(Read("bom.pem"), "C");
}

TEST_F(CfsslTest, CfssljsonOfABundleWritesItAlone) {
  EXPECT_EQ(Json({"-bare", Path("b")}, R"({"bundle": "B\n", "root": "R", "crt": "C"})").code, 0);
  EXPECT_EQ(Read("b-bundle.pem"), "B\n");
  EXPECT_NE(access(Path("b-root.pem").c_str(), F_OK), 0);
}

TEST_F(CfsslTest, CfssljsonSaysThatThereIsNothingToWrite) {
  const RunResult result =
      Json({"-bare", Path("n")}, R"({"success": true, "result": {"certificate": "C"}})");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("nothing to write: no \"cert\", \"key\" or \"csr\" in standard "
                                    "input; it is a server's answer: leave -bare out"));
}

TEST_F(CfsslTest, CfssljsonKeepsTheModeOfAFileThatIsNoKey) {
  umask(022);
  Write("m.pem", "old");
  ASSERT_EQ(chmod(Path("m.pem").c_str(), 0640), 0);
  EXPECT_EQ(Json({"-bare", Path("m")}, R"({"cert": "C"})").code, 0);
  EXPECT_EQ(Read("m.pem"), "C");
  EXPECT_EQ(ModeOf("m.pem"), 0640U);
}

TEST_F(CfsslTest, HelpHasExamplesAndOnlyTheFlagsThatCount) {
  const RunResult help = Cfssl({"gencert", "-h"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out,
              AllOf(HasSubstr("-initca"), HasSubstr("A CA below it"), Not(HasSubstr("responder"))));
}

}  // namespace
}  // namespace calico::calicert::cfssl
