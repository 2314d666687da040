"""calico_cc_library, calico_cc_test, calico_cc_binary, calico_cc_fuzz: native rules plus our copts."""

load("//tools/bazel:copts.bzl", "CALICO_COPTS")

def calico_cc_library(name, copts = [], **kwargs):
    native.cc_library(name = name, copts = CALICO_COPTS + copts, **kwargs)

def calico_cc_binary(name, copts = [], **kwargs):
    native.cc_binary(name = name, copts = CALICO_COPTS + copts, **kwargs)

def calico_cc_test(name, copts = [], deps = [], size = "small", **kwargs):
    native.cc_test(
        name = name,
        copts = CALICO_COPTS + copts,
        size = size,
        deps = deps + ["//tools/deps:gtest_main"],
        **kwargs
    )

def calico_cc_benchmark(name, copts = [], deps = [], **kwargs):
    native.cc_binary(
        name = name,
        testonly = True,
        copts = CALICO_COPTS + copts,
        deps = deps + ["//tools/deps:benchmark"],
        **kwargs
    )

def calico_cc_fuzz(name, corpus, srcs, deps = [], copts = [], **kwargs):
    """A libFuzzer target that a plain build runs as a test over testdata/corpus/<corpus>.

    Args:
      name: ends in _fuzz.
      corpus: folder below testdata/corpus.
      srcs: one file that defines LLVMFuzzerTestOneInput.
      deps: as for cc_test.
      copts: as for cc_test.
      **kwargs: as for cc_test.
    """
    native.cc_test(
        name = name,
        size = "small",
        srcs = srcs,
        args = ["testdata/corpus/" + corpus],
        copts = CALICO_COPTS + copts,
        data = ["//testdata/corpus:" + corpus],
        linkopts = select({
            "//tools/bazel:fuzz": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + select({
            "//tools/bazel:fuzz": [],
            "//conditions:default": ["//tools/bazel:corpus_replay"],
        }),
        **kwargs
    )
