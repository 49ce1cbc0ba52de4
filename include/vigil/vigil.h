/* The engine of Background Sync and Periodic Background Sync, for C and for every language that calls C.
 *
 * A host creates an engine from parameters and a table of callbacks (vigil_host), starts it, and then tells
 * it what happens. The engine decides which registration fires when, calls host->run for each event, and
 * waits for vigil_event_finished. docs/embedding.md walks through it; examples/embed/c is a whole host.
 *
 * Threads. An engine is used by one thread at a time, and calls its callbacks on that thread, during a call
 * of this API. Different engines do not know of each other. wake_at, write, run, reply, log and visit may
 * call the API: what they say takes effect after the work under way. The other callbacks are questions in the
 * middle of it and may not (VIGIL_ERROR_BUSY); none may destroy its engine. All must return normally: no
 * exception, no longjmp.
 *
 * Ownership. Everything that a caller or a callback passes belongs to the one who passes it and is read
 * during the call only; what has to live longer is copied. Only what a _create function gives out is given
 * back, with the matching _destroy.
 *
 * Strings are pointer and length, UTF-8, may hold NUL bytes, and do not end in one. { NULL, 0 } is the empty
 * string. Strings over VIGIL_MAX_BYTES are refused before they are read.
 *
 * Structs that carry struct_size may grow at their end in later versions. Whoever fills one sets struct_size
 * to sizeof and the rest to zero first; the library reads no further than that, and a field that the caller's
 * header did not know counts as zero. Structs without struct_size never change.
 *
 * Errors are the vigil_status of the call; then the call had no effect (but see VIGIL_ERROR_BROKEN). What a
 * script did wrong is not an error of the call but of its reply. Misuse that cannot be noticed is undefined:
 * a handle after its destruction, a pointer to less memory than its length says, an engine in two threads at
 * once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vigil/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------- versions */

/* What this header was written for. It changes only when a program that was built with an older header would
 * break. */
#define VIGIL_ABI_VERSION 1

/* VIGIL_ABI_VERSION of the library that runs. */
VIGIL_API uint32_t vigil_abi_version(void);
/* "0.1.0" */
VIGIL_API const char* vigil_version(void);

/* ---------------------------------------------------------------------------------- plain values */

typedef int32_t vigil_status;
enum {
  VIGIL_OK = 0,
  /* From vigil_host.write only: not on the disk yet; vigil_write_finished tells. */
  VIGIL_LATER = 1,
  /* NULL, or not a handle of the kind that is asked for. */
  VIGIL_ERROR_INVALID_HANDLE = -1,
  /* A pointer that may not be NULL, a length over VIGIL_MAX_BYTES, a number outside its enumeration, a
   * callback that is missing, a struct_size that is too small. */
  VIGIL_ERROR_INVALID_ARGUMENT = -2,
  /* No such registration, token or parameter. */
  VIGIL_ERROR_NOT_FOUND = -3,
  /* Nothing was changed. */
  VIGIL_ERROR_OUT_OF_MEMORY = -4,
  /* The host's store failed. */
  VIGIL_ERROR_STORE = -5,
  /* A stored registration is damaged, or written by a newer version. */
  VIGIL_ERROR_CORRUPT = -6,
  /* Not from inside this callback. */
  VIGIL_ERROR_BUSY = -7,
  /* Before vigil_engine_start has succeeded. */
  VIGIL_ERROR_NOT_STARTED = -8,
  /* Memory ran out in the middle of a step, in this call or an earlier one. Only destroying is left; what was
   * acknowledged is in the store, and a new engine goes on from there. */
  VIGIL_ERROR_BROKEN = -9
};
/* "ok", "not-found" …; "unknown" for other numbers. */
VIGIL_API const char* vigil_status_name(vigil_status status);

/* One MiB: more than any tag, origin or message may have. */
#define VIGIL_MAX_BYTES ((size_t)1 << 20)

typedef struct vigil_bytes {
  const char* data; /* may be NULL when size is 0 */
  size_t size;
} vigil_bytes;
/* Of a string that ends in NUL; NULL gives the empty one. */
VIGIL_API vigil_bytes vigil_text(const char* text);

/* Microseconds. wall: since 1970 in UTC, what users call the time; may jump. mono: only grows, means nothing
 * after a restart. The engine takes wall times from 1970 to 9999 and mono times from 0 to 2^60; what lies
 * outside counts as the nearest of them, and a mono time before an earlier one as that. */
typedef struct vigil_time {
  int64_t wall_us;
  int64_t mono_us;
} vigil_time;
#define VIGIL_NEVER INT64_MAX

/* Which specification a registration belongs to. They have separate tags. */
typedef int32_t vigil_kind;
enum { VIGIL_ONE_SHOT = 0, VIGIL_PERIODIC = 1 };

typedef int32_t vigil_engagement;
enum {
  VIGIL_ENGAGEMENT_NONE = 0,
  VIGIL_ENGAGEMENT_MINIMAL = 1,
  VIGIL_ENGAGEMENT_LOW = 2,
  VIGIL_ENGAGEMENT_MEDIUM = 3,
  VIGIL_ENGAGEMENT_HIGH = 4,
  VIGIL_ENGAGEMENT_MAX = 5
};

/* How an event ended. */
typedef int32_t vigil_outcome;
enum {
  VIGIL_SUCCEEDED = 0,
  VIGIL_REJECTED = 1, /* the promise given to waitUntil() was rejected */
  VIGIL_FAILED = 2,   /* the worker was stopped or died */
  VIGIL_ABORTED = 3,
  VIGIL_TIMEOUT = 4,    /* it ran longer than vigil_event.limit_us */
  VIGIL_UNKNOWN = 5,    /* the worker's script did not start */
  VIGIL_NOT_STARTED = 6 /* the event never reached the worker, by a fault of the host: does not count */
};

/* ---------------------------------------------------------------------------------- parameters */

/* Every number and choice of behaviour, with its default; vigil/parameters.h describes each. */
typedef struct vigil_parameters vigil_parameters;

/* NULL: no memory. */
VIGIL_API vigil_parameters* vigil_parameters_create(void);
/* NULL is allowed. */
VIGIL_API void vigil_parameters_destroy(vigil_parameters* parameters);
/* Durations as "250ms", "30s", "5min", "12h", "2d", switches as "true" or "false", numbers as they are.
 * VIGIL_ERROR_NOT_FOUND: no such name; VIGIL_ERROR_INVALID_ARGUMENT: the value does not parse or is out of
 * range. Then, where message is not NULL, one line that says why is written to it, cut to capacity and ended
 * by NUL. */
VIGIL_API vigil_status vigil_parameters_set(vigil_parameters* parameters, vigil_bytes name, vigil_bytes value,
                                            char* message, size_t capacity);
/* Calls visit for every parameter, in the order of the header. */
VIGIL_API vigil_status vigil_parameters_list(const vigil_parameters* parameters,
                                             void (*visit)(void* context, vigil_bytes name,
                                                           vigil_bytes value),
                                             void* context);

/* ---------------------------------------------------------------------------------- the host */

typedef struct vigil_engine vigil_engine;
typedef struct vigil_loader vigil_loader;

typedef int32_t vigil_change_op;
enum { VIGIL_PUT = 0, VIGIL_ERASE = 1 };

typedef struct vigil_change {
  vigil_change_op op;
  vigil_bytes key;   /* the same registration has the same key for ever; another one has another */
  vigil_bytes value; /* VIGIL_PUT: the whole record, for vigil_load_record */
} vigil_change;

typedef struct vigil_write {
  size_t struct_size;
  uint64_t token;
  const vigil_change* changes;
  size_t count; /* 0: asks whether the store can be written again */
} vigil_write;

/* An event that has to run. */
typedef struct vigil_event {
  size_t struct_size;
  uint64_t token; /* for vigil_event_finished; never used twice by one engine */
  vigil_kind kind;
  int32_t last_chance; /* 1: SyncEvent.lastChance */
  uint64_t worker;     /* the service worker registration */
  vigil_bytes tag;
  vigil_bytes origin;
  int64_t limit_us; /* the host ends it after this time, with VIGIL_TIMEOUT */
} vigil_event;

typedef struct vigil_reply {
  size_t struct_size;
  uint64_t token;         /* of the question */
  vigil_bytes error_name; /* of the DOMException for the script, "NotAllowedError" …; empty: it succeeded */
  vigil_bytes error_message;
  const vigil_bytes* tags; /* of vigil_get_tags, ascending */
  size_t tag_count;
} vigil_reply;

/* A line of the background services log. */
typedef struct vigil_log_line {
  size_t struct_size;
  int64_t wall_us;
  int32_t service; /* number of the DevTools protocol: 3 backgroundSync, 7 periodicBackgroundSync */
  uint64_t worker;
  vigil_bytes origin;
  vigil_bytes event_name;
  vigil_bytes tag;
  const vigil_bytes* metadata; /* key, value, key, value … */
  size_t metadata_count;       /* of pairs */
} vigil_log_line;

/* What the engine asks of the host and tells it. Questions are answered at once, from what is known already.
 * The table is copied; context is handed to every callback. */
typedef struct vigil_host {
  size_t struct_size;
  void* context;

  /* -- the world. Truth values: 0 is no, everything else yes. */
  /* Needed. Unknown is offline. */
  int32_t (*online)(void* context);
  /* Was the app used by its user on the present network? NULL: on every network. */
  int32_t (*known_network)(void* context, vigil_bytes origin);
  /* Needed. May the origin use this kind? For periodic without regard to installation. */
  int32_t (*allowed)(void* context, vigil_bytes origin, vigil_kind kind);
  /* Is an app of the origin installed? NULL: no; then periodic sync needs installation_required=false. */
  int32_t (*installed)(void* context, vigil_bytes origin);
  /* May it show notifications? NULL: no. */
  int32_t (*notifications_allowed)(void* context, vigil_bytes origin);
  /* NULL: VIGIL_ENGAGEMENT_HIGH. Numbers outside the enumeration count as none. */
  vigil_engagement (*engagement)(void* context, vigil_bytes origin);
  /* In [0, 1), for the parameter jitter. NULL: a generator of the library's. */
  double (*random)(void* context);

  /* -- time */
  /* NULL: the system's clocks. */
  void (*now)(void* context, vigil_time* now);
  /* Needed. Call vigil_tick when the monotonic clock is here, rather later than earlier. Replaces the wish
   * before; VIGIL_NEVER: there is nothing to wait for. */
  void (*wake_at)(void* context, int64_t mono_us);

  /* -- the store */
  /* Needed. Call vigil_load_record(loader, value) for every stored value, in any order. Another answer than
   * VIGIL_OK: they cannot be read. Asked by vigil_engine_start. */
  vigil_status (*load)(void* context, vigil_loader* loader);
  /* Needed. Apply all changes in their order, or none of them. VIGIL_OK: they are on the disk, synced.
   * VIGIL_LATER: vigil_write_finished will tell. Else it failed; the engine tries again by itself. At most
   * one write is under way. */
  vigil_status (*write)(void* context, const vigil_write* write);

  /* -- what comes out */
  /* Needed. Fire the event at the service worker; answer with one vigil_event_finished, now or later. */
  void (*run)(void* context, const vigil_event* event);
  /* NULL: answers are not wanted. */
  void (*reply)(void* context, const vigil_reply* reply);
  /* NULL: the log is not wanted. */
  void (*log)(void* context, const vigil_log_line* line);
} vigil_host;

/* ---------------------------------------------------------------------------------- the engine */

/* parameters: copied; NULL: the defaults. On success *engine is the host's to destroy, else it is NULL. */
VIGIL_API vigil_status vigil_engine_create(const vigil_parameters* parameters, const vigil_host* host,
                                           vigil_engine** engine);
/* Forgets everything in memory; the store has it. Calls nothing back. NULL is allowed. */
VIGIL_API vigil_status vigil_engine_destroy(vigil_engine* engine);
/* Loads what is stored and begins: events that are due run before it returns. VIGIL_ERROR_STORE: load failed;
 * VIGIL_ERROR_CORRUPT: a value was refused, or a registration is there twice. Then, where message is not
 * NULL, one line that says why is written to it, cut to capacity and ended by NUL; and it may be called
 * again. */
VIGIL_API vigil_status vigil_engine_start(vigil_engine* engine, char* message, size_t capacity);
/* Inside vigil_host.load only. VIGIL_ERROR_CORRUPT: refused, and so vigil_engine_start will fail. */
VIGIL_API vigil_status vigil_load_record(vigil_loader* loader, vigil_bytes value);
/* Is it a value that vigil_load_record takes? For hosts that set damaged values aside. message as above. */
VIGIL_API vigil_status vigil_check_record(vigil_bytes value, char* message, size_t capacity);

/* ---------------------------------------------------------------------------------- what scripts ask
 *
 * reply_token is the caller's and comes back in vigil_reply; 0: no reply is wanted. The reply comes during
 * the call or, when something has to be written first, later; always exactly one. */

typedef struct vigil_registration {
  size_t struct_size;
  uint64_t reply_token;
  uint64_t worker; /* the service worker registration: the host's number, never used twice */
  vigil_kind kind;
  /* 1: the service worker registration has no active worker: InvalidStateError. */
  int32_t no_active_worker;
  /* 1: the origin has no top-level window client: InvalidAccessError. */
  int32_t no_window_client;
  vigil_bytes tag;         /* too long or not UTF-8: InvalidAccessError */
  vigil_bytes origin;      /* serialized, "https://shop.example"; not empty */
  int64_t min_interval_ms; /* periodic; negative: InvalidAccessError */
} vigil_registration;

VIGIL_API vigil_status vigil_register(vigil_engine* engine, const vigil_registration* registration);
/* One-shot, after its reply said success and the script has seen it. Until then, or until the parameter
 * acknowledge_timeout has passed, it does not fire. Unknown ones are ignored. */
VIGIL_API vigil_status vigil_acknowledge(vigil_engine* engine, uint64_t worker, vigil_bytes tag);
/* Periodic; there is no unregister() for one-shot. An unknown tag is a success. */
VIGIL_API vigil_status vigil_unregister(vigil_engine* engine, uint64_t reply_token, uint64_t worker,
                                        vigil_bytes tag);
VIGIL_API vigil_status vigil_get_tags(vigil_engine* engine, uint64_t reply_token, uint64_t worker,
                                      vigil_kind kind);

/* ---------------------------------------------------------------------------------- what the host reports */

VIGIL_API vigil_status vigil_tick(vigil_engine* engine);
/* text: of the rejection, for people. VIGIL_ERROR_NOT_FOUND: no event of this engine had that token. A second
 * report, or one long after the limit, is ignored. */
VIGIL_API vigil_status vigil_event_finished(vigil_engine* engine, uint64_t token, vigil_outcome outcome,
                                            vigil_bytes text);
/* After VIGIL_LATER. status: VIGIL_OK when it is on the disk; else why not is in message (may be empty).
 * VIGIL_ERROR_NOT_FOUND: this write is not under way. */
VIGIL_API vigil_status vigil_write_finished(vigil_engine* engine, uint64_t token, vigil_status status,
                                            vigil_bytes message);

/* Something that a callback answers has changed; it answers the new already. An empty origin in
 * vigil_permission_changed means any. Permission stands for installation too. */
VIGIL_API vigil_status vigil_network_changed(vigil_engine* engine);
VIGIL_API vigil_status vigil_permission_changed(vigil_engine* engine, vigil_bytes origin);
VIGIL_API vigil_status vigil_engagement_changed(vigil_engine* engine, vigil_bytes origin);
/* The cause of a store failure may be gone: try at once. */
VIGIL_API vigil_status vigil_store_recovered(vigil_engine* engine);
/* A service worker registration was removed, or the data of an origin cleared: so are its registrations. */
VIGIL_API vigil_status vigil_worker_deleted(vigil_engine* engine, uint64_t reply_token, uint64_t worker);
VIGIL_API vigil_status vigil_origin_cleared(vigil_engine* engine, uint64_t reply_token, vigil_bytes origin);

/* ---------------------------------------------------------------------------------- looking */

typedef struct vigil_view {
  size_t struct_size;
  vigil_kind kind;
  uint64_t worker;
  vigil_bytes tag;
  vigil_bytes origin;
  int64_t min_interval_ms; /* -1: one-shot */
  int64_t attempts;        /* finished and failed */
  int64_t max_attempts;
  int64_t registered_at_us; /* wall */
  vigil_bytes state;        /* "pending" "waiting" "firing" "reregistered-while-firing" "suspended" */
  vigil_bytes reason;       /* why it does not run now: "offline" "waiting-for-retry" …, stable */
  vigil_bytes sentence;     /* the same for people, without a full stop */
  int64_t next_time_us;     /* wall: the earliest moment as things stand; VIGIL_NEVER: not a matter of time */
} vigil_view;

/* Calls visit once. VIGIL_ERROR_NOT_FOUND: there is no such registration. */
VIGIL_API vigil_status vigil_explain(vigil_engine* engine, uint64_t worker, vigil_kind kind, vigil_bytes tag,
                                     void (*visit)(void* context, const vigil_view* view), void* context);
/* Calls visit for every registration, ascending by worker, tag, kind. */
VIGIL_API vigil_status vigil_list(vigil_engine* engine, void (*visit)(void* context, const vigil_view* view),
                                  void* context);
/* VIGIL_OK: registrations can be stored. VIGIL_ERROR_STORE: they cannot, and nothing registers or fires until
 * a write succeeds; message as above. */
VIGIL_API vigil_status vigil_store_status(vigil_engine* engine, char* message, size_t capacity);

#ifdef __cplusplus
}
#endif
