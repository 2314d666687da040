"""folders(): a filegroup for each folder beside the BUILD file, named after it."""

def folders():
    names = {}
    for file in native.glob(["*/**"]):
        names[file.split("/")[0]] = True
    for name in names.keys():
        native.filegroup(
            name = name,
            srcs = native.glob([name + "/**"]),
            visibility = ["//visibility:public"],
        )
