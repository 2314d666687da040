"""calico_embed: files as strings inside a binary."""

load("//tools/bazel:calico.bzl", "calico_cc_library")

def calico_embed(name, srcs, namespace, function, visibility = None):
    """A cc_library with the header <package>/<name>.h, which declares

        namespace <namespace> { std::span<const calico::base::EmbeddedFile> <function>(); }

    The files come sorted by name; a name is the path below the package.

    Args:
      name: of the library, of its header and of its source.
      srcs: source files of this package.
      namespace: C++ namespace.
      function: name of the C++ function.
      visibility: as for cc_library.
    """
    prefix = native.package_name() + "/"
    native.genrule(
        name = name + "_generated",
        srcs = srcs,
        outs = [name + ".h", name + ".cc"],
        cmd = ("$(execpath //tools/bazel:embed) {header} $(execpath {name}.h) $(execpath {name}.cc) " +
               "{ns} {function} {prefix} {srcs}").format(
            header = prefix + name + ".h",
            name = name,
            ns = namespace,
            function = function,
            prefix = prefix,
            srcs = " ".join(["$(execpaths %s)" % src for src in srcs]),
        ),
        tools = ["//tools/bazel:embed"],
        visibility = ["//visibility:private"],
    )
    calico_cc_library(
        name = name,
        srcs = [name + ".cc"],
        hdrs = [name + ".h"],
        visibility = visibility,
        deps = ["//pkg/base:embedded_file"],
    )
