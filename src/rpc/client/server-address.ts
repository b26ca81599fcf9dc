/**
 * Reads where a server is: "127.0.0.1:8080", "http://127.0.0.1:8080" or "https://example.com". No
 * scheme means http.
 * @returns the URL, without a slash at the end
 * @throws RangeError saying what was expected
 */
export function parseServerAddress(text: string): string {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//iu.test(text) ? text : `http://${text}`;
  const url = URL.parse(withScheme);
  if (url === null) throw malformed(text, 'it is not a host and port');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw malformed(text, `its scheme is ${url.protocol}//`);
  }
  if (url.username !== '' || url.password !== '') throw malformed(text, 'it has a user name');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw malformed(text, 'it has a path');
  }
  // A bare name would silently mean port 80, which is nobody's intention.
  if (withScheme !== text && !/:\d+$/u.test(text)) throw malformed(text, 'it has no port');
  return url.origin;
}

function malformed(text: string, why: string): RangeError {
  return new RangeError(
    `Expected a server's address like 127.0.0.1:8080 or https://example.com, got ${JSON.stringify(text.slice(0, 100))}: ${why}`,
  );
}
