import { useEffect, useState } from "preact/hooks";
import { supabase } from "../data/client";
import { environment } from "../env";
import { EnvironmentBadge, Wordmark } from "../shell";
import { Field } from "../ui/form";
import { Icon } from "../ui/icon";

function sentence(message: string): string {
  if (/invalid login|invalid_grant|credentials/i.test(message)) return "E-mail and password do not match.";
  if (/fetch/i.test(message)) return "The studio's server cannot be reached.";
  return message;
}

export function SignInPage() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    document.title = "Sign in · Studio";
  }, []);

  const signIn = async (event: Event) => {
    event.preventDefault();
    setWaiting(true);
    setError("");
    const answer = await supabase.auth.signInWithPassword({ email: email.trim(), password });
    if (answer.error) {
      setError(sentence(answer.error.message));
      setWaiting(false);
    }
  };

  return (
    <main class="sign-in">
      <section class="sign-in-card">
        <div class="sign-in-head">
          <Wordmark />
          <EnvironmentBadge />
        </div>
        <h1>Good to see you</h1>
        <p class="lead">Sign in to open the day.</p>
        <form onSubmit={signIn}>
          <Field label="E-mail">
            <input
              type="email"
              autocomplete="username"
              required
              value={email}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          </Field>
          <Field label="Password">
            <input
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </Field>
          <p class="form-error" role="alert">
            {error && <><Icon name="alert" size={18} /> {error}</>}
          </p>
          <button class="button button-primary button-wide" disabled={waiting}>
            {waiting ? "Signing in…" : "Sign in"}
          </button>
        </form>
        <p class="release">Release {environment!.release}</p>
      </section>
    </main>
  );
}
