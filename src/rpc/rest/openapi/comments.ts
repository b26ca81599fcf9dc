import type {
  DescriptorProto,
  EnumDescriptorProto,
  FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';

/** The comments of a contract, by full names: "tradewind.market.v1.Candle.open_time". */
export type Comments = ReadonlyMap<string, string>;

// The numbers that a place in a file is told by, from descriptor.proto.
const inFile = { message: 4, enum: 5, service: 6 };
const inMessage = { field: 2, nested: 3, enum: 4 };
const enumValue = 2;
const method = 2;

/** Reads the comments that stand before messages, fields, enums, their values, services and RPCs. */
export function commentsOf(files: readonly FileDescriptorProto[]): Comments {
  const comments = new Map<string, string>();
  for (const file of files) {
    const texts = new Map(
      (file.sourceCodeInfo?.location ?? []).map((each) => [
        each.path.join('.'),
        flowing(each.leadingComments),
      ]),
    );
    for (const [path, name] of names(file)) {
      const text = texts.get(path.join('.'));
      if (text !== undefined && text !== '') comments.set(name, text);
    }
  }
  return comments;
}

type Named = readonly [path: readonly number[], name: string];

function names(file: FileDescriptorProto): readonly Named[] {
  const within = `${file.package}.`;
  return [
    ...file.messageType.flatMap((each, i) => inMessages(each, [inFile.message, i], within)),
    ...file.enumType.flatMap((each, i) => inEnums(each, [inFile.enum, i], within)),
    ...file.service.flatMap((service, i): Named[] => [
      [[inFile.service, i], within + service.name],
      ...service.method.map(({ name }, j): Named => [
        [inFile.service, i, method, j],
        `${within}${service.name}.${name}`,
      ]),
    ]),
  ];
}

function inMessages(message: DescriptorProto, path: readonly number[], within: string): Named[] {
  const name = within + message.name;
  return [
    [path, name],
    ...message.field.map((field, i): Named => [
      [...path, inMessage.field, i],
      `${name}.${field.name}`,
    ]),
    ...message.nestedType.flatMap((each, i) =>
      inMessages(each, [...path, inMessage.nested, i], `${name}.`),
    ),
    ...message.enumType.flatMap((each, i) =>
      inEnums(each, [...path, inMessage.enum, i], `${name}.`),
    ),
  ];
}

function inEnums(desc: EnumDescriptorProto, path: readonly number[], within: string): Named[] {
  return [
    [path, within + desc.name],
    ...desc.value.map(({ name }, i): Named => [
      [...path, enumValue, i],
      `${within}${desc.name}.${name}`,
    ]),
  ];
}

/** Lines that belong together on one, as they are broken for reading in the proto. */
function flowing(text: string): string {
  return text
    .split(/\n\s*\n/u)
    .map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/gu, ' '))
    .join('\n\n');
}
