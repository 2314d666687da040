// The one place that compiles Boost.Asio's non-template parts (separate compilation).
#include <boost/asio/impl/src.hpp>
