/*
   Odd values in a deck: whatever stands behind a key, nothing, an empty list or mapping, one too deep,
   another type, the deck is either good or has faults with their places. Every key of every task, component
   and array generator, and what else a deck holds.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <cospin/problem/component.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum { TEXT_SIZE = 4096, SETTINGS_SIZE = 1024 };

static const char *const values[] = {
    "",
    "~",
    "[]",
    "{}",
    "[~]",
    "[[]]",
    "[{}]",
    "{~: ~}",
    "{a: ~}",
    "{a: {}}",
    "{q: ~}",
    "{q: []}",
    "{q: {}}",
    "{q: [1]}",
    "{q: {css: ~}}",
    "{q: {css: []}}",
    "{q: {css: {}}}",
    "{q: {css: [~, 1]}}",
    "{q: {css: [{}, 1]}}",
    "{q: {css: [[], 1]}}",
    "{q: {~: 1}}",
    "{q: {fock: 1, css: 2}}",
    "{file: ~}",
    "{file: {}}",
    "{file: []}",
    "{file: none.h5, task: {}, at: {}}",
    "{file: none.h5, at: ~}",
    "{file: none.h5, at: [1]}",
    "{file: none.h5, at: {a: ~}}",
    "{charge: ~}",
    "{charge: {}}",
    "{charge: []}",
    "{charge: {q: ~}}",
    "{charge: {q: {}}}",
    "{charge: {q: [1, ~]}}",
    "{charge: {q: [1, 0, 0]}}",
    "{charge: {q: [[1]]}}",
    "{charge: [1, 2]}",
    "{ket: {q: [1]}, bra: {q: 1}}",
    "{ket: 1}",
    "{ket: [], bra: 1}",
    "{ket: {q: []}, bra: {q: 1}}",
    "{ket: {}, bra: {}}",
    "{irrep: ~}",
    "{irrep: {q: []}}",
    "{linspace: ~}",
    "{linspace: []}",
    "{linspace: {}}",
    "{linspace: [1, 2, {}]}",
    "{linspace: [1, 2, ~]}",
    "{linspace: [0, 1, -3]}",
    "{range: [1]}",
    "{logspace: [0, 1, 2]}",
    "{value: ~}",
    "{value: {}, label: []}",
    "{normal: ~}",
    "{normal: {}}",
    "{normal: []}",
    "{normal: {mean: {}, std: []}}",
    "[1, ~]",
    "[1, {}]",
    "[1, [1]]",
    "\"\"",
    "\"x y\"",
    "\"<q.Sz\"",
    "q.Sz",
    "q.sz[0]",
    "-1",
    "0",
    "1.5",
    "1e400",
    "1/0",
    "sqrt(-1)",
    "true",
    "[2, 1]",
    "[-1, 1]",
};
enum { NUM_VALUES = sizeof(values) / sizeof(values[0]) };

/* A deck with this task, component q and what else tasks ask for. */
#define DECK(component, arrays, task)                                                                        \
  "title: T\nparameters: {w: 1}\ncomponents: {q: " component "}\n" arrays                                    \
  "jumps: [{name: out, rate: 1, operator: q.Sm}, {rate: w, each: q.sp}]\nobservables: {z: <q.Sz>}\n"         \
  "tasks:\n  - " task "\n"

static const struct {
  const char *task, *settings; /* settings: what makes it good, without the key that is tried */
} tasks[] = {
    {"steady", ""},
    {"decay", "of: q.Sm"},
    {"gap", ""},
    {"evolve", "times: [0, 1]; initial: {q: ground}"},
    {"spectrum", "of: q.Sm; frequencies: [0, 1]"},
    {"correlation", "of: q.Sm; with: q.Sp; times: [0, 1]"},
    {"g2", "of: q.Sm; times: [0, 1]"},
    {"counting", "jump: out"},
    {"clicks", "jump: out; time: 1; most: 3; initial: {q: ground}"},
    {"trajectories", "times: [0, 1]; initial: {q: ground}"},
    {"trajectories", "initial: {q: ground}; jump: all"},
    {"cumulant", ""},
    {"cumulant", "of: q.Sm; frequencies: [0]; delays: [0]"},
    {"noise_spectrum", "frequencies: [0]"},
    {"heralding", "atoms: 5"},
    {"langevin", ""},
    {"meanfield", ""},
    {"boundary", "vary: w; between: [0, 1]; observable: z; above: 0.5; until: 1"},
};

/* The deck's faults as text, "" if there are none; owned by the caller. */
static char *faults_of(const char text[])
{
  const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                               CospinTasksAlone, CospinTaskExpandedRecords};
  CospinFaults faults;
  CospinTable table = NULL;
  CospinDeck deck;
  PetscBool ok = PETSC_FALSE;
  size_t size;
  char *printed;
  FILE *stream = open_memstream(&printed, &size);

  assert_non_null(stream);
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckRead(text, strlen(text), &schema, faults, &deck));
  if (!CospinFaultsCount(faults)) {
    OK(CospinTableCreate(deck, faults, &table, &ok));
    if (ok != (CospinFaultsCount(faults) == 0)) fail_msg("neither good nor with faults:\n%s", text);
    OK(CospinTableDestroy(&table));
  }
  OK(CospinFaultsView(faults, stream));
  OK(CospinFaultsDestroy(&faults));
  OK(CospinDeckDestroy(&deck));
  (void)fclose(stream);
  return printed;
}

/* Whether every line begins with `deck:LINE:COLUMN: `, lines that quote the text left out. */
static PetscBool has_places(const char faults[])
{
  for (const char *line = faults; *line;) {
    int row = 0, column = 0;
    if (sscanf(line, "deck:%d:%d: ", &row, &column) != 2 || row < 1 || column < 1) return PETSC_FALSE;
    line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "";
  }
  return PETSC_TRUE;
}

static void check(const char text[])
{
  char *faults = faults_of(text);

  if (!has_places(faults)) fail_msg("a fault without a place:\n%s\n%s", faults, text);
  free(faults);
}

/* Settings without one of the keys, and with it at the end: "{of: q.Sm, KEY: VALUE}". */
static void write_settings(const char settings[], const char key[], const char value[], char text[],
                           size_t size)
{
  char copy[SETTINGS_SIZE], *rest = copy, *setting;
  size_t length = (size_t)snprintf(text, size, "{");

  (void)snprintf(copy, sizeof(copy), "%s", settings);
  while ((setting = strtok_r(rest, ";", &rest))) {
    while (*setting == ' ') setting++;
    if (strncmp(setting, key, strlen(key)) == 0 && setting[strlen(key)] == ':') continue;
    length += (size_t)snprintf(text + length, size - length, "%s, ", setting);
  }
  (void)snprintf(text + length, size - length, key[0] ? "%s: %s}" : "}", key, value);
}

static const char *settings_of(const char task[])
{
  for (size_t k = 0; k < sizeof(tasks) / sizeof(tasks[0]); k++)
    if (strcmp(tasks[k].task, task) == 0) return tasks[k].settings;
  fail_msg("the task %s is not in this test", task);
  return NULL;
}

static void every_key_of_every_task(void **state)
{
  (void)state;
  for (int k = 0; CospinTaskKinds[k]; k++) {
    const CospinRecordKind *record = &CospinTaskKinds[k]->record;
    char settings[SETTINGS_SIZE], text[TEXT_SIZE];
    write_settings(settings_of(record->name), "", "", settings, sizeof(settings));
    (void)snprintf(text, sizeof(text), DECK("{kind: ensemble, size: 2}", "", "%s: %s"), record->name,
                   settings);
    char *faults = faults_of(text);
    if (faults[0] && strcmp(record->name, "cumulant") && strcmp(record->name, "noise_spectrum"))
      fail_msg("not good to begin with:\n%s\n%s", faults, text);
    free(faults);
    for (const CospinKey *key = record->keys; key->name; key++) {
      for (int v = 0; v < NUM_VALUES; v++) {
        write_settings(settings_of(record->name), key->name, values[v], settings, sizeof(settings));
        (void)snprintf(text, sizeof(text), DECK("{kind: ensemble, size: 2}", "", "%s: %s"), record->name,
                       settings);
        check(text);
      }
    }
  }
}

static void every_key_of_every_component(void **state)
{
  (void)state;
  for (int k = 0; CospinComponentKinds[k]; k++) {
    const CospinRecordKind *record = &CospinComponentKinds[k]->record;
    for (const CospinKey *key = record->keys; key->name; key++) {
      for (int v = 0; v < NUM_VALUES; v++) {
        char text[TEXT_SIZE];
        (void)snprintf(text, sizeof(text),
                       "title: T\ncomponents: {q: {kind: %s, %s: %s}}\njumps: [{rate: 1, operator: 1}]\n"
                       "tasks: [evolve: {times: [0], initial: {q: ground}}]\n",
                       record->name, key->name, values[v]);
        check(text);
      }
    }
  }
}

static void every_key_of_every_array(void **state)
{
  (void)state;
  for (int k = 0; CospinArrayKinds[k]; k++) {
    const CospinRecordKind *record = &CospinArrayKinds[k]->record;
    for (const CospinKey *key = record->keys; key->name; key++) {
      for (int v = 0; v < NUM_VALUES; v++) {
        char text[TEXT_SIZE];
        (void)snprintf(text, sizeof(text),
                       DECK("{kind: spins, size: 2}", "arrays: {d: {%s: {%s: %s}}}\n", "steady: {}"),
                       record->name, key->name, values[v]);
        check(text);
      }
    }
  }
}

/* Decks with one place for a value. */
static const char *const templates[] = {
    "title: %s\ncomponents: {q: {kind: spin, S: 1}}\njumps: [{rate: 1, operator: q.Sm}]\ntasks: [steady: "
    "{}]\n",
    "title: T\nsource: %s\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\nunits: %s\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\nunits: {rate: %s}\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\nparameters: %s\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\nparameters: {w: %s}\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\nparameters: {w: 1}\ngrid: %s\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\nparameters: {w: 1}\ngrid: {w: %s}\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: %s\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: %s}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: %s}}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: %s}}\nhamiltonian: [q.x]\ntasks: "
    "[steady: "
    "{}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: {x: %s}}}\nhamiltonian: [q.x]\ntasks: "
    "[steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: {x: [[0, 1], %s]}}}\nhamiltonian: "
    "[q.x]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: {x: [[0, 1], [1, %s]]}}}\nhamiltonian: "
    "[q.x]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: {x: {entries: %s}}}}\nhamiltonian: "
    "[q.x]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: {x: {entries: [[0, %s, 1]]}}}}\n"
    "hamiltonian: [q.x]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: 2, operators: {x: {file: %s, dataset: x}}}}\n"
    "hamiltonian: [q.x]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: matrix, levels: %s, operators: {x: [[0, 1], [1, 0]]}}}\nhamiltonian: "
    "[q.x]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\nhamiltonian: %s\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\nhamiltonian: [%s]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\nhamiltonian: [sum: %s]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\njumps: %s\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\njumps: [%s]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\njumps: [{rate: %s, operator: q.Sm}]\ntasks: [steady: "
    "{}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\njumps: [{rate: 1, operator: %s}]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\njumps: [{rate: 1, each: %s}]\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\njumps: [{rates: %s, pairs: q.sm}]\ntasks: [steady: "
    "{}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\njumps: [{rates: 1, pairs: %s}]\ntasks: [steady: "
    "{}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\njumps: [{name: %s, rate: 1, operator: q.Sm}]\ntasks: "
    "[steady: "
    "{}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\narrays: %s\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\narrays: {d: %s}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\nobservables: %s\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\nobservables: {z: %s}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\nobservables: {z: {value: %s}}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spins, size: 2}}\nobservables: {z: {sum: %s}}\ntasks: [steady: {}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: %s\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [%s]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: %s]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {name: %s}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\nplots: %s\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\nplots: [%s]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\nplots: [{x: %s}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\nplots: [{kind: %s}]\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\npetsc: %s\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\npetsc: {a_b: %s}\n",
    "title: T\ncomponents: {q: {kind: spin, S: 1}}\ntasks: [steady: {}]\noperator: %s\n",
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void every_place_of_a_deck(void **state)
{
  (void)state;
  for (size_t t = 0; t < sizeof(templates) / sizeof(templates[0]); t++) {
    for (int v = 0; v < NUM_VALUES; v++) {
      char text[TEXT_SIZE];
      (void)snprintf(text, sizeof(text), templates[t], values[v]);
      check(text);
    }
  }
}
#pragma GCC diagnostic pop

/* Every state that a component knows, with no, empty and too many arguments. */
static void every_state_of_every_component(void **state)
{
  static const char *const arguments[] = {"~",    "[]",   "{}", "[~]", "[1, 2, 3, 4, 5]",
                                          "[[]]", "[{}]", "-1", "q.Sz"};
  static const char *const sizes[] = {"size: 2", "S: 1", "cutoff: 3", "size: 2, levels: 3",
                                      "levels: 3, operators: {x: [[0, 1, 0], [1, 0, 0], [0, 0, 0]]}"};

  (void)state;
  for (int k = 0; CospinComponentKinds[k]; k++) {
    for (const CospinStateName *name = CospinComponentKinds[k]->states; name->name; name++) {
      for (size_t a = 0; a < sizeof(arguments) / sizeof(arguments[0]); a++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
          char text[TEXT_SIZE];
          (void)snprintf(text, sizeof(text),
                         "title: T\ncomponents: {q: {kind: %s, %s}}\njumps: [{rate: 1, operator: 1}]\ntasks: "
                         "[evolve: {times: [0], initial: {q: {%s: %s}}}]\n",
                         CospinComponentKinds[k]->record.name, sizes[s], name->name, arguments[a]);
          check(text);
        }
      }
    }
  }
}

/* The one that was a crash. */
static void a_state_without_a_name(void **state)
{
  char *faults = faults_of(DECK("{kind: ensemble, size: 2}", "", "steady: {initial: {q: {}}}"));

  (void)state;
  assert_string_equal(faults,
                      "deck:7:24: tasks[0].steady.initial.q: has no value (must be a state: ground, {css: "
                      "[theta, phi]}, {fock: n}, ...)\n");
  free(faults);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_of_every_task),        cmocka_unit_test(every_key_of_every_component),
      cmocka_unit_test(every_key_of_every_array),       cmocka_unit_test(every_place_of_a_deck),
      cmocka_unit_test(every_state_of_every_component), cmocka_unit_test(a_state_without_a_name),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
