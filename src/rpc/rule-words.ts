import { getOption } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';
import { ValidationError, Violation } from '@bufbuild/protovalidate';
import type { Validator } from '@bufbuild/protovalidate';
import { field as fieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { FieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { enumTexts } from './rest/enum-text.ts';

/** A validator whose violations say what was expected where its own show a regular expression or a number. */
export function inWords(validator: Validator): Validator {
  return {
    validate(schema, message) {
      const result = validator.validate(schema, message);
      if (result.kind !== 'invalid') return result;
      const violations = result.violations.map(told);
      return { ...result, violations, error: new ValidationError(violations) };
    },
  };
}

/** The pattern that a string, or each of a list, has to match; undefined: it has none. */
export function patternOf(desc: DescField): string | undefined {
  const rules: FieldRules | undefined = getOption(desc, fieldRules);
  const { type } = rules.type.case === 'repeated' ? (rules.type.value.items ?? rules) : rules;
  const pattern = type.case === 'string' ? type.value.pattern : '';
  return pattern === '' ? undefined : pattern;
}

/** What each pattern of the contract lets through; a test finds those that are not here. */
export const patternWords: ReadonlyMap<string, string> = new Map([
  [String.raw`^[^\x00-\x20\x7f]*$`, 'no blanks and no control characters'],
  [String.raw`^[^\x00-\x1f\x7f]*$`, 'no control characters'],
  ['^[a-z0-9-]*$', 'lower-case letters, digits and "-"'],
  ['^[A-Za-z0-9._:-]{0,32}$', 'at most 32 letters, digits, ".", "_", ":" and "-"'],
  ['^[A-Za-z0-9._:-]{0,64}$', 'at most 64 letters, digits, ".", "_", ":" and "-"'],
  ['^[A-Za-z0-9._:-]{1,64}$', '1 to 64 letters, digits, ".", "_", ":" and "-"'],
  ['^[!-~]{0,64}$', 'at most 64 visible ASCII characters'],
  ['^[!-~]{1,64}$', '1 to 64 visible ASCII characters'],
  [
    '^[0-9]{1,15}([.][0-9]{1,18})?$',
    'a decimal with at most 15 digits before and 18 after the point',
  ],
  ['^(p1[.][0-9]{1,16})?$', 'a cursor as the stream told it'],
  ['^(o1[.][0-9]{1,16})?$', 'a cursor as the stream told it'],
  [String.raw`^(c1\.[0-9]{1,16}\.[0-9]{1,16}\.[0-9]{1,16})?$`, 'a cursor as the stream told it'],
]);

function told(violation: Violation): Violation {
  const { ruleId, field, rule, forKey } = violation;
  const last = field.at(-1);
  const words =
    last?.kind === 'oneof' && ruleId === 'required'
      ? `one of ${last.fields.map(({ name }) => name).join(', ')}`
      : expectedBy(ruleId, field.findLast(isField));
  return words === undefined
    ? violation
    : new Violation(`expected ${words}`, ruleId, field, rule, forKey);
}

/** undefined: the validator's own words say it. */
function expectedBy(ruleId: string, desc: DescField | undefined): string | undefined {
  if (desc === undefined) return undefined;
  if (ruleId === 'string.min_len') return 'a value, got none';
  if (ruleId === 'string.pattern') return patternWords.get(patternOf(desc) ?? '');
  if (ruleId.startsWith('enum.') && desc.enum !== undefined) {
    return `one of ${enumTexts(desc.enum).join(', ')}`;
  }
  return undefined;
}

function isField(element: Violation['field'][number]): element is DescField {
  return element.kind === 'field';
}
