import { useEffect, useState } from "preact/hooks";

const listeners = new Set<() => void>();

function announce(): void {
  for (const listener of listeners) listener();
}

addEventListener("popstate", announce);

export function navigate(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  announce();
  if (!replace) scrollTo(0, 0);
}

export function usePath(): string {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const listener = () => setPath(location.pathname);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

/** Keeps new tabs, downloads and other sites with the browser; takes the rest. */
export function followInside(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  if (!link || event.defaultPrevented || event.button !== 0 || link.target || link.hash) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.origin !== location.origin) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}
