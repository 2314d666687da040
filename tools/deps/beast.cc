// The one place that compiles Boost.Beast and Asio's TLS parts (separate compilation).
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
