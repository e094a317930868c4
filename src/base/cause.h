/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue of causes: the one table of everything that can end or prevent a session. Every failure path
 * names an entry. Exit codes, texts, remedies and the decision to retry are made from this table and nowhere
 * else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

/* The stages a user watches, in order. */
enum stage {
	STAGE_SETUP, /* options, files, privileges, the interface */
	STAGE_RESOLVE,
	STAGE_CONNECT,
	STAGE_TLS,
	STAGE_HTTP,
	STAGE_SSTP,
	STAGE_LCP,
	STAGE_AUTH,
	STAGE_IPCP,
	STAGE_UP,
	_STAGE_MAX,
};

/* "resolve", "TLS", "authentication", … as shown to people. */
const char *stage_name(enum stage stage);

enum cause_class {
	CAUSE_NORMAL,	 /* an end that somebody asked for */
	CAUSE_TRANSIENT, /* worth an early retry */
	CAUSE_PERMANENT, /* a human must change something: retried every 10 minutes or more rarely */
};

/* X(id, name, stage, class, exit code, summary, remedy). Names are stable: scripts match on them. */
#define CAUSE_TABLE(X)                                                                                      \
	X(NONE, "none", UP, NORMAL, 0, "no failure", "")                                                    \
	X(USER_STOP, "stopped-by-user", UP, NORMAL, 0, "stopped on request", "")                            \
	X(USAGE, "usage", SETUP, PERMANENT, 2, "wrong option or value", "see --help")                       \
	X(CONFIG_INVALID, "configuration-invalid", SETUP, PERMANENT, 18,                                    \
	  "the configuration file is not valid", "correct what is named above")                             \
	X(NO_PRIVILEGE, "no-privilege", SETUP, PERMANENT, 3, "not permitted",                               \
	  "run it as root (sudo), or give it CAP_NET_ADMIN; as root in a container also CAP_SETUID, "       \
	  "CAP_SETGID, CAP_SETPCAP, CAP_KILL and CAP_CHOWN")                                                \
	X(NO_TUN, "no-tun-device", SETUP, PERMANENT, 4, "/dev/net/tun cannot be used",                      \
	  "load the tun module (modprobe tun), or pass /dev/net/tun into the container")                    \
	X(NAME_IN_USE, "interface-name-in-use", SETUP, PERMANENT, 5, "the interface name is in use",        \
	  "choose another name, or end what uses it")                                                       \
	X(FILE_UNREADABLE, "file-unreadable", SETUP, PERMANENT, 6, "a file cannot be read",                 \
	  "check the path, its permissions and what is in it")                                              \
	X(CA_INVALID, "ca-invalid", SETUP, PERMANENT, 7, "the CA certificate cannot be used",               \
	  "give a PEM file with at least one CA certificate")                                               \
	X(KERNEL_CONFIG, "kernel-configuration", UP, TRANSIENT, 8, "the kernel refused the configuration",  \
	  "see the log for the object that was refused")                                                    \
	X(RESOLVERS, "resolvers-not-changed", UP, TRANSIENT, 63,                                            \
	  "the host's DNS resolvers cannot be changed",                                                     \
	  "make what is named above work, or go without (no-peer-dns; quick: --no-peer-dns)")               \
	X(FILE_UNWRITABLE, "file-unwritable", SETUP, PERMANENT, 9, "a file cannot be written",              \
	  "check the path and its permissions")                                                             \
	X(FILE_IN_THE_WAY, "file-in-the-way", SETUP, PERMANENT, 16,                                         \
	  "something else has the place of a file", "remove it, or choose another path")                    \
	X(ALREADY_RUNS, "already-running", SETUP, PERMANENT, 17, "another sstpcd is already running",       \
	  "stop it, or give this one other directories (--run-dir, --state-dir, --config)")                 \
	X(LIMIT, "resource-limit", SETUP, TRANSIENT, 73, "a limit of the system is reached",                \
	  "raise it: ulimit -n (systemd: LimitNOFILE=) for open files, ulimit -u (LimitNPROC=, "            \
	  "TasksMax=) for processes")                                                                       \
	X(INTERNAL, "internal", SETUP, TRANSIENT, 70, "internal error", "please report this with the log")  \
	X(WORKER_DIED, "worker-died", UP, TRANSIENT, 71, "the tunnel process ended unexpectedly",           \
	  "please report this with the log")                                                                \
	X(WORKER_BROKEN, "worker-broken", UP, TRANSIENT, 72, "the tunnel process misbehaved and was ended", \
	  "please report this with the log")                                                                \
	X(RESOLVE_NOT_FOUND, "name-not-found", RESOLVE, TRANSIENT, 10, "the server's name does not exist",  \
	  "check the spelling of the server's name and your DNS")                                           \
	X(RESOLVE_FAILED, "name-lookup-failed", RESOLVE, TRANSIENT, 11, "the name lookup failed",           \
	  "check the network and /etc/resolv.conf")                                                         \
	X(CONNECT_NO_ROUTE, "no-route", CONNECT, TRANSIENT, 12, "no route to the server",                   \
	  "check the network connection of this host")                                                      \
	X(CONNECT_REFUSED, "connection-refused", CONNECT, TRANSIENT, 13,                                    \
	  "the server refused the connection", "check the port; is the SSTP service running there?")        \
	X(CONNECT_TIMEOUT, "connect-timeout", CONNECT, TRANSIENT, 14, "the server does not answer",         \
	  "check address and port; a firewall may drop the packets")                                        \
	X(CONNECT_FAILED, "connect-failed", CONNECT, TRANSIENT, 15, "the connection failed",                \
	  "see the detail")                                                                                 \
	X(TLS_TIMEOUT, "tls-timeout", TLS, TRANSIENT, 20, "no TLS answer",                                  \
	  "the port may belong to another service; or the path loses long packets: try a "                  \
	  "smaller MTU of the device that leads there")                                                     \
	X(TLS_NOT_TLS, "not-tls", TLS, PERMANENT, 21, "the server does not speak TLS", "check the port")    \
	X(TLS_UNTRUSTED, "certificate-untrusted", TLS, PERMANENT, 22,                                       \
	  "the server's certificate is not signed by a trusted CA",                                         \
	  "give its CA (ssl ca-certificate; quick: --ca), or its pin if you know that it is yours")         \
	X(TLS_NAME_MISMATCH, "certificate-name", TLS, PERMANENT, 23,                                        \
	  "the server's certificate is for another name",                                                   \
	  "connect by a name in the certificate, or give it (ssl server-name; quick: --server-name), or "   \
	  "its pin if you know that it is yours")                                                           \
	X(TLS_EXPIRED, "certificate-expired", TLS, PERMANENT, 24, "the server's certificate has expired",   \
	  "the server needs a new certificate")                                                             \
	X(TLS_NOT_YET_VALID, "certificate-not-yet-valid", TLS, TRANSIENT, 25,                               \
	  "the server's certificate is not valid yet", "check the date and time of this host")              \
	X(TLS_PURPOSE, "certificate-purpose", TLS, PERMANENT, 26,                                           \
	  "the certificate may not be used by a TLS server",                                                \
	  "the server needs a certificate for serverAuth")                                                  \
	X(TLS_WEAK, "certificate-weak", TLS, PERMANENT, 44,                                                 \
	  "the server's certificate is too weak to prove anything",                                         \
	  "the server needs one with keys and signatures of today (RSA 2048 bits, SHA-256); or give its "   \
	  "pin if you know that it is yours")                                                               \
	X(TLS_PIN_MISMATCH, "pin-mismatch", TLS, PERMANENT, 27,                                             \
	  "the server's public key matches no configured pin",                                              \
	  "if the server's key was changed on purpose, replace the pin")                                    \
	X(TLS_ALERT, "tls-alert", TLS, PERMANENT, 28, "the server ended the TLS handshake",                 \
	  "the server may require another name (ssl server-name; quick: --server-name), allow none of our " \
	  "TLS versions and ciphers, or have no certificate")                                               \
	X(TLS_VERSION, "tls-version", TLS, PERMANENT, 29, "no common TLS version or cipher",                \
	  "the server is too old for TLS 1.2, or allows no common cipher")                                  \
	X(TLS_FAILED, "tls-failed", TLS, TRANSIENT, 19, "the TLS handshake failed", "see the detail")       \
	X(TLS_CLIENT_CERTIFICATE, "client-certificate", TLS, PERMANENT, 34,                                 \
	  "the server asks for a client certificate",                                                       \
	  "sstpcd has none to show: the server must admit clients by user name and password")               \
	X(HTTP_TIMEOUT, "http-timeout", HTTP, TRANSIENT, 30, "no answer to the SSTP request",               \
	  "the port may belong to another service")                                                         \
	X(HTTP_NOT_SSTP, "not-sstp", HTTP, PERMANENT, 31, "the server is not an SSTP server",               \
	  "check the server's name and port; a web server or proxy may answer there")                       \
	X(HTTP_REFUSED, "http-refused", HTTP, TRANSIENT, 32, "the server refused the SSTP request",         \
	  "the server may be full, require another host name, or not admit this host: see its log")         \
	X(HTTP_CLOSED, "http-closed", HTTP, TRANSIENT, 33,                                                  \
	  "the server closed the connection without answer",                                                \
	  "the server may not offer SSTP, or require another host name")                                    \
	X(SSTP_TIMEOUT, "sstp-timeout", SSTP, TRANSIENT, 35,                                                \
	  "the server stopped answering during SSTP setup", "try again; see the server's log")              \
	X(SSTP_NAK, "sstp-nak", SSTP, PERMANENT, 36, "the server refuses PPP over SSTP",                    \
	  "see the server's configuration")                                                                 \
	X(SSTP_PROTOCOL, "sstp-protocol", SSTP, TRANSIENT, 37, "the server broke the SSTP protocol",        \
	  "report this with the log")                                                                       \
	X(SSTP_BINDING_UNSUPPORTED, "binding-hash", SSTP, PERMANENT, 38,                                    \
	  "the server offers no usable crypto binding hash",                                                \
	  "the server's SSTP front end must know its certificate")                                          \
	X(SSTP_ABORTED, "aborted-by-server", SSTP, TRANSIENT, 39, "the server aborted the session",         \
	  "see the server's log")                                                                           \
	X(LCP_TIMEOUT, "lcp-timeout", LCP, TRANSIENT, 40, "no agreement on the PPP link in time",           \
	  "try again; see the server's log")                                                                \
	X(LCP_FAILED, "lcp-failed", LCP, PERMANENT, 41, "PPP link options cannot be agreed",                \
	  "see the detail")                                                                                 \
	X(LCP_LOOPBACK, "lcp-loopback", LCP, TRANSIENT, 42, "the PPP link is looped back",                  \
	  "the server echoes our own packets")                                                              \
	X(LCP_TERMINATED, "lcp-terminated", LCP, TRANSIENT, 43, "the server ended the PPP link",            \
	  "see the server's log")                                                                           \
	X(AUTH_FAILED, "authentication-failed", AUTH, PERMANENT, 50, "user name or password is wrong",      \
	  "check both; the account may also be locked")                                                     \
	X(AUTH_TIMEOUT, "authentication-timeout", AUTH, TRANSIENT, 51, "no answer to the login in time",    \
	  "the server's user database may be slow or down")                                                 \
	X(AUTH_METHOD, "authentication-method", AUTH, PERMANENT, 52,                                        \
	  "the server offers no allowed authentication method",                                             \
	  "allow what it offers (authentication allow; quick: --allow) if you accept the risk")             \
	X(AUTH_UNSUPPORTED, "authentication-unsupported", AUTH, PERMANENT, 57,                              \
	  "the server offers no authentication method that sstpcd has",                                     \
	  "enable MS-CHAPv2 or EAP-MSCHAPv2 on the server")                                                 \
	X(AUTH_EAP, "authentication-eap", AUTH, TRANSIENT, 58, "the server does not take MS-CHAPv2",        \
	  "nothing is to be done: the next attempt uses EAP, which the server prefers")                     \
	X(AUTH_SERVER_UNPROVEN, "server-not-authentic", AUTH, PERMANENT, 53,                                \
	  "the server could not prove that it knows the password",                                          \
	  "this may be an attack: do not go on before you know why")                                        \
	X(AUTH_EXPIRED, "password-expired", AUTH, PERMANENT, 54, "the password has expired",                \
	  "change the password on the server")                                                              \
	X(AUTH_DISABLED, "account-disabled", AUTH, PERMANENT, 55, "the account may not log in",             \
	  "ask the server's administrator (disabled, restricted hours, or no dial-in permission)")          \
	X(AUTH_NO_LOGIN, "no-login", AUTH, PERMANENT, 56, "no user name and password are configured",       \
	  "set authentication username and password: SSTP servers ask for them")                            \
	X(IPCP_TIMEOUT, "ipcp-timeout", IPCP, TRANSIENT, 60, "no IP address was agreed in time",            \
	  "the server's address pool or DHCP may be exhausted")                                             \
	X(IPCP_NO_ADDRESS, "no-address", IPCP, TRANSIENT, 61, "the server gave no usable IP address",       \
	  "check the server's address pool")                                                                \
	X(IPCP_REJECTED, "ip-rejected", IPCP, PERMANENT, 62, "the server refuses IPv4",                     \
	  "see the server's configuration")                                                                 \
	X(PEER_DISCONNECT, "disconnected-by-server", UP, TRANSIENT, 80, "the server ended the session",     \
	  "an idle or session limit, or another login of the same user")                                    \
	X(PEER_SILENT, "server-silent", UP, TRANSIENT, 81, "the server stopped answering",                  \
	  "the network path or the server is down")                                                         \
	X(CONNECTION_LOST, "connection-lost", UP, TRANSIENT, 82, "the connection to the server was lost",   \
	  "the network path or the server went away")                                                       \
	X(DEVICE_LOST, "device-lost", UP, TRANSIENT, 83, "the network below the tunnel has changed",        \
	  "a new path is used as soon as there is one")                                                     \
	X(INTERFACE_LOST, "interface-lost", UP, TRANSIENT, 84, "the tunnel's interface was deleted",        \
	  "leave the interface to sstpcd; it makes and deletes it")

enum cause {
#define CAUSE_ENUM(id, name, stage, class, code, summary, remedy) CAUSE_##id,
	CAUSE_TABLE(CAUSE_ENUM)
#undef CAUSE_ENUM
		_CAUSE_MAX,
};

const char *cause_name(enum cause cause);    /* "certificate-name" */
const char *cause_summary(enum cause cause); /* one clause, no full stop */
const char *cause_remedy(enum cause cause);  /* one clause; "" if there is nothing to do */
enum stage cause_stage(enum cause cause);
enum cause_class cause_class(enum cause cause);
int cause_exit_code(enum cause cause);

/* LIMIT where `error`, a negative errno, says that a limit of descriptors was reached; otherwise `cause`. Of
 * processes fork() and posix_spawn() say so by -EAGAIN, which elsewhere means something else. */
enum cause cause_unless_limit(enum cause cause, int error);
enum cause cause_unless_fork_limit(enum cause cause, int error);

/*
 * A cause with what was seen: which file, which name, which status. The text is plain printable
 * ASCII.
 *
 * What the table puts into stage `up` can come at any moment (the connection is lost, the worker
 * dies): `stage` then tells when it came. 0 (STAGE_SETUP, where these cannot happen) = in the stage
 * of the table.
 */
struct failure {
	enum cause cause;
	enum stage stage;
	char detail[256];
};

/* Where it happened. */
enum stage failure_stage(const struct failure *f);

/* Sets `f` unless it already holds a cause: the first failure is the one that counts. */
void failure_set(struct failure *f, enum cause cause, const char *detail_format, ...) _printf_(3, 4);

/*
 * "TLS: the server's certificate is for another name (certificate names: a.example); connect by …"
 * into `out`. `where` is put after the stage ("vpn.example.com:443"), NULL for none.
 */
void failure_format(const struct failure *f, const char *where, char *out, size_t size);

/* Copies bytes of a stranger as printable ASCII, everything else as '.', cut to `size`. For details
 * and logs.
 */
void printable(char *out, size_t size, const void *data, size_t len);
