"""The one list of warnings; every target of ours is built with it."""

CALICO_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wshadow-uncaptured-local",
    "-Wthread-safety",
    "-Wunused-result",
    "-Wnon-virtual-dtor",
    "-Wimplicit-fallthrough",
    "-Wno-missing-designated-field-initializers",
    "-Wno-missing-field-initializers",
]
