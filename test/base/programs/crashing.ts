// A program that crashes at once, with the exit code that it is given.
console.error('something is wrong');
process.exit(Number(process.env['EXIT_CODE']));
