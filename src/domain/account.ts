/** The account of orders and executions that name none. */
export const defaultAccount = 'default';

/** Letters, digits and a few marks: it names rows, cursors and metrics. */
const accountPattern = /^[A-Za-z0-9._:-]{1,64}$/;

export function isAccount(text: string): boolean {
  return accountPattern.test(text);
}
