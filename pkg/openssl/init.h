// How every program of ours starts OpenSSL: once, before anything else uses it, and without its
// configuration file.
//
// Whether OpenSSL reads `openssl.cnf` is decided by its first use in a process, for good. Left
// alone it would depend on whether a key or a TLS connection comes first. The file, which the
// environment may name (OPENSSL_CONF), can load code, loosen the rules of TLS or leave out the
// algorithms that we need: so it is read by no program of the product.
//
// The library of this header runs Initialize before `main` and before the constructors of C++
// objects, in every program that links it, and everything that includes pkg/openssl does. No caller
// can come first, or forget.
#ifndef CALICO_PKG_OPENSSL_INIT_H_
#define CALICO_PKG_OPENSSL_INIT_H_

namespace calico::openssl {

// Aborts when the library cannot start. Repeated calls do nothing: a `main` calls it first, so that
// a program which links the library in vain is a build error. Threading: any thread.
void Initialize();

}  // namespace calico::openssl

#endif  // CALICO_PKG_OPENSSL_INIT_H_
