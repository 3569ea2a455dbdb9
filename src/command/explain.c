/*
 * Error ids: see explain.h. One row per id; a test checks that every id of base/err.c has one.
 */
#include "command/explain.h"

#include <stddef.h>
#include <strings.h>

// clang-format off
const struct explanation explanations[] = {
    { "LF-0001", "Something that should not happen",
      "The program met a case it does not know. Nothing is guessed: what was being done stopped.\n"
      "If a release was running, `lockflight resume <environment>` reads what is really there and goes on." },
    { "LF-U001", "The command line is wrong",
      "Nothing was contacted, nothing was changed. `lockflight <command> --help` shows what it takes." },
    { "LF-C001", "A file of the project is wrong",
      "`where` names the file, the line and the column. Nothing was contacted, nothing was changed.\n"
      "Every key is explained by `lockflight man lockflight.toml`." },
    { "LF-A001", "Credentials are missing or refused",
      "Credentials come from the environment: LOCKFLIGHT_<ENV>_DATABASE_URL, LOCKFLIGHT_<ENV>_NETLIFY_TOKEN\n"
      "and LOCKFLIGHT_<ENV>_SUPABASE_TOKEN, or NETLIFY_AUTH_TOKEN and SUPABASE_ACCESS_TOKEN for every environment.\n"
      "With platform = \"local\" they come from the local platform. Nothing was changed." },
    { "LF-G001", "A gate is closed",
      "Nothing was changed. Gates are: the lease is free, the tests pass for this content, the environment named\n"
      "by `requires` has proved it, declared variables have values, no hold by a person, no quarantine.\n"
      "`why` says which one; `lockflight plan <environment>` shows all of them." },
    { "LF-L001", "Another runner has taken over",
      "Two runners never both act. This one noticed that its lease is not its own any more and stopped at once.\n"
      "`lockflight status <environment>` shows who works there now." },
    { "LF-N001", "It does not exist",
      "The thing that was named is not there, or the credentials do not show it." },
    { "LF-N002", "It exists already, or changed meanwhile",
      "Somebody else changed it between looking and acting. Look again, then repeat the command." },
    { "LF-D001", "An input is larger than accepted",
      "Every input has a stated limit, so that a broken or hostile one cannot fill memory. `why` names the limit." },
    { "LF-D002", "An answer or a file is malformed",
      "Bytes from outside are not what they should be. Nothing is guessed from half an answer." },
    { "LF-S001", "The operating system refused",
      "A file, folder or stream could not be read or written; `why` has the system's own words." },
    { "LF-R001", "No answer in time",
      "The deadline passed before anything was sent, or while only reading. The command may be repeated." },
    { "LF-R002", "No connection",
      "Nothing was sent. Is the address right, is the network up, is the local platform up?" },
    { "LF-R003", "The answer was lost",
      "A request was sent and no answer came back, so it may or may not have been done. The engine asks the\n"
      "other side before it goes on; `lockflight resume <environment>` does the same after an interruption." },
    { "LF-R004", "The other side answered with a failure",
      "`why` has its status and its words, `where` the address. The request id, if there is one, helps its support." },
    { "LF-M001", "Postgres refused",
      "`why` has the message and the SQLSTATE, `where` the file and line. A migration and its record commit\n"
      "together, so a refused migration has left nothing behind." },
    { "LF-V001", "A verification is red",
      "A check or a watch did not see what it must. Before publishing, visitors have noticed nothing; the release\n"
      "is unwound one layer at a time until the previous release is green again." },
    { "LF-V003", "The backend is red; the site was not published",
      "New functions or migrations failed their checks while visitors still had the old site. Functions were put\n"
      "back; migrations usually stay, because the old code has been verified on them." },
    { "LF-E006", "Failed, and the environment is as before (exit 6)",
      "Everything that was done has been taken back. Fix the cause, then deploy again." },
    { "LF-E007", "Failed; code as before, database ahead (exit 7)",
      "Site and functions are the previous release, verified green. Its migrations stay: they are additive and the\n"
      "previous code runs on them. Fix forward, or look at the way back:\n"
      "lockflight rollback <environment> --through schema --dry-run" },
    { "LF-E008", "A person is needed (exit 8)",
      "An undo failed or could not be proved, so nothing more was done by itself. The error lists what is live now\n"
      "and the steps that remain; the lease is held for repair." },
    { "LF-E009", "Interrupted, resumable (exit 9)",
      "The release stopped half-way on purpose or because its process ended. `lockflight resume <environment>` goes\n"
      "on from there; with --unwind it takes everything back." },
    { "LF-E010", "Released, with a flag switched off (exit 10)",
      "A check that names a module was red. The module's flag was switched off, the checks were green then, and the\n"
      "release stayed. `lockflight flags history <flag>` says why; `lockflight flags on <flag>` when it is mended." },
    { 0 },
};
// clang-format on

const struct explanation *explanation_find(const char *id)
{
    for (const struct explanation *row = explanations; row->id; row++) {
        if (strcasecmp(row->id, id) == 0)
            return row;
    }
    return NULL;
}
