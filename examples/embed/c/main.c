/* A whole host of Vigil's engine in C: its own clock, network switch, permissions, a file that survives, and
 * "run the event". It registers a sync offline, restarts, comes online, fails once, and succeeds at the
 * retry. Time is virtual, so that it ends at once. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vigil/vigil.h>

/* What the file holds: size of a key, size of its value, key, value, and again. */
typedef struct records {
  size_t size;
  char bytes[65536];
} records;

typedef struct host {
  vigil_engine* engine;
  vigil_time now;
  int64_t wake_us;
  int32_t is_online;
  int runs;
  records stored;
} host;

static int32_t online(void* context) { return ((host*)context)->is_online; }
static int32_t allowed(void* context, vigil_bytes origin, vigil_kind kind) {
  (void)context, (void)origin;
  return kind == VIGIL_ONE_SHOT;
}
static void now(void* context, vigil_time* time) { *time = ((host*)context)->now; }
static void wake_at(void* context, int64_t mono_us) { ((host*)context)->wake_us = mono_us; }

/* ---- the store: one file in the present directory */

static const char* const kFile = "embed.registrations";

static int apply(records* r, const vigil_change* change) {
  const uint32_t sizes[2] = {(uint32_t)change->key.size, (uint32_t)change->value.size};
  for (size_t at = 0, length; at < r->size; at += length) { /* take the old one out */
    uint32_t old[2];
    memcpy(old, r->bytes + at, sizeof old);
    length = sizeof old + old[0] + old[1];
    if (old[0] != sizes[0] || memcmp(r->bytes + at + sizeof old, change->key.data, sizes[0]) != 0) continue;
    memmove(r->bytes + at, r->bytes + at + length, r->size - at - length);
    r->size -= length, length = 0;
  }
  if (change->op == VIGIL_ERASE) return 1;
  if (change->key.size + change->value.size + sizeof sizes > sizeof r->bytes - r->size) return 0;
  memcpy(r->bytes + r->size, sizes, sizeof sizes);
  memcpy(r->bytes + r->size + sizeof sizes, change->key.data, sizes[0]);
  memcpy(r->bytes + r->size + sizeof sizes + sizes[0], change->value.data, sizes[1]);
  r->size += sizeof sizes + sizes[0] + sizes[1];
  return 1;
}

/* A new file, synced, in the old one's place: all changes or none, whenever the power goes. */
static vigil_status store(void* context, const vigil_write* write) {
  static records next;
  int good = 1;
  next = ((host*)context)->stored;
  for (size_t i = 0; i < write->count; ++i) good = good && apply(&next, &write->changes[i]);
  FILE* file = good ? fopen("embed.new", "wb") : NULL;
  if (!file) return VIGIL_ERROR_STORE;
  good = fwrite(next.bytes, 1, next.size, file) == next.size && fflush(file) == 0 && fsync(fileno(file)) == 0;
  if (fclose(file) != 0 || !good || rename("embed.new", kFile) != 0) return VIGIL_ERROR_STORE;
  const int directory = open(".", O_RDONLY);
  good = fsync(directory) == 0; /* the new name is on the disk too */
  close(directory);
  ((host*)context)->stored = next;
  return good ? VIGIL_OK : VIGIL_ERROR_STORE;
}

static vigil_status load(void* context, vigil_loader* loader) {
  records* r = &((host*)context)->stored;
  FILE* file = fopen(kFile, "rb");
  if (!file) return VIGIL_OK; /* the first start */
  r->size = fread(r->bytes, 1, sizeof r->bytes, file);
  fclose(file);
  for (size_t at = 0; at < r->size;) {
    uint32_t sizes[2] = {0, 0};
    if (r->size - at >= sizeof sizes) memcpy(sizes, r->bytes + at, sizeof sizes);
    at += sizeof sizes + sizes[0] + (size_t)sizes[1];
    if (at > r->size) return VIGIL_ERROR_STORE; /* not a file of ours */
    const vigil_status status = vigil_load_record(loader, (vigil_bytes){r->bytes + at - sizes[1], sizes[1]});
    if (status != VIGIL_OK) return status;
  }
  return VIGIL_OK;
}

/* ---- what comes out */

/* "Fire the event at the service worker": here the first post to the server fails. */
static void run(void* context, const vigil_event* event) {
  host* h = context;
  const int works = ++h->runs > 1;
  printf("sync event \"%.*s\" runs, lastChance=%s: %s\n", (int)event->tag.size, event->tag.data,
         event->last_chance ? "true" : "false", works ? "succeeds" : "fails");
  vigil_event_finished(h->engine, event->token, works ? VIGIL_SUCCEEDED : VIGIL_REJECTED, vigil_text(NULL));
}
static void reply(void* context, const vigil_reply* r) {
  printf("register: %.*s\n", r->error_name.size ? (int)r->error_message.size : 11,
         r->error_name.size ? r->error_message.data : "on the disk");
  vigil_acknowledge(((host*)context)->engine, 1, vigil_text("send-post"));
}
static void show(void* context, const vigil_view* view) {
  ++*(int*)context;
  printf("\"%.*s\" is %.*s: %.*s\n", (int)view->tag.size, view->tag.data, (int)view->state.size,
         view->state.data, (int)view->sentence.size, view->sentence.data);
}
static void list(host* h) {
  int count = 0;
  vigil_list(h->engine, show, &count);
  if (count == 0) puts("nothing is registered");
}

static void start(host* h) {
  char message[256] = "";
  memset(h, 0, sizeof *h);
  h->now = (vigil_time){1795564800000000, 3600000000};
  const vigil_host table = {.struct_size = sizeof table,
                            .context = h,
                            .online = online,
                            .allowed = allowed,
                            .now = now,
                            .wake_at = wake_at,
                            .load = load,
                            .write = store,
                            .run = run,
                            .reply = reply};
  vigil_status status = vigil_engine_create(NULL, &table, &h->engine);
  if (status == VIGIL_OK) status = vigil_engine_start(h->engine, message, sizeof message);
  if (status == VIGIL_OK) return;
  printf("cannot start (%s): %s\n", vigil_status_name(status), message);
  exit(1);
}

int main(void) {
  static host h;
  remove(kFile);
  puts("-- offline");
  start(&h);
  const vigil_registration call = {.struct_size = sizeof call,
                                   .reply_token = 1,
                                   .worker = 1,
                                   .kind = VIGIL_ONE_SHOT,
                                   .tag = vigil_text("send-post"),
                                   .origin = vigil_text("https://shop.example")};
  vigil_register(h.engine, &call);
  list(&h);
  vigil_engine_destroy(h.engine);

  puts("-- restarted");
  start(&h);
  list(&h);
  puts("-- online");
  h.is_online = 1;
  vigil_network_changed(h.engine);
  list(&h);
  printf("-- at its time, %" PRId64 " s later\n", (h.wake_us - h.now.mono_us) / 1000000);
  h.now.wall_us += h.wake_us - h.now.mono_us;
  h.now.mono_us = h.wake_us;
  vigil_tick(h.engine);
  list(&h);
  vigil_engine_destroy(h.engine);
  return 0;
}
