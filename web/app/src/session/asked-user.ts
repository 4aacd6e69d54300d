/** `?user=bob` in the address asks to be that user of the demo. Once: then it is taken out. */

export function askedUser(location: Pick<Location, 'search'>): string | null {
  return new URLSearchParams(location.search).get('user') || null;
}

/** Takes the question out of the address, so that signing out is not undone by a reload. */
export function forgetAskedUser(): void {
  const url = new URL(window.location.href);
  if (!url.searchParams.has('user')) return;
  url.searchParams.delete('user');
  window.history.replaceState(window.history.state, '', url);
}
