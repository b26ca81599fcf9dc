// A program that ends only when it is killed.
process.on('SIGTERM', () => console.log('no'));
setInterval(() => {}, 1000);
console.log('started');
