/** What a client may take of the server. Every bound says what happens there. */
export type ListenerLimits = {
  /** Bytes of one request message, after decompression; beyond: RESOURCE_EXHAUSTED. */
  readonly readMaxBytes: number;
  /** Milliseconds that a client may ask for as its deadline; beyond: INVALID_ARGUMENT. */
  readonly maxTimeoutMs: number;
  /**
   * Milliseconds within which a request's single message must have arrived, and which may pass
   * between two messages of a stream of requests; beyond: DEADLINE_EXCEEDED.
   */
  readonly requestBodyTimeoutMs: number;
  /** RPCs at work at once, all connections together; beyond: HTTP 503, which is UNAVAILABLE. */
  readonly maxActiveRpcs: number;
  /** Open streams of one HTTP/2 connection; beyond: refused, then the connection is closed. */
  readonly maxConcurrentStreams: number;
  /** Open connections; beyond: closed at once. */
  readonly maxConnections: number;
  /** Open connections of one client address; beyond: closed at once. */
  readonly maxConnectionsPerAddress: number;
  /** Milliseconds that a connection may carry nothing, either way; beyond: closed. */
  readonly idleTimeoutMs: number;
  /** Milliseconds in which a new connection must have shown its protocol; beyond: closed. */
  readonly protocolTimeoutMs: number;
  /** Milliseconds for an HTTP/1.1 request's head; beyond: 408 and closed. */
  readonly headersTimeoutMs: number;
  /** Milliseconds for a whole HTTP/1.1 request; beyond: 408 and closed. */
  readonly requestTimeoutMs: number;
  /** Milliseconds between two looks for such late HTTP/1.1 requests. */
  readonly lateRequestCheckMs: number;
  /** Bytes of an HTTP/1.1 request's head; beyond: 431. */
  readonly maxHeaderBytes: number;
  /** Header fields of an HTTP/2 request; beyond: the stream is reset. */
  readonly maxHeaderPairs: number;
  /**
   * PINGs of a client within 10 seconds that no data of ours went before; beyond: GOAWAY
   * ENHANCE_YOUR_CALM. (PINGs that follow data are how clients measure a line: free.)
   */
  readonly maxIdlePings: number;
  /**
   * Milliseconds between our own PINGs on an HTTP/2 connection with open streams. They keep a quiet
   * stream's connection alive; one that is not answered before the next one: closed.
   */
  readonly keepaliveMs: number;
  /** Bytes that one stream may send ahead of our reading: its flow-control window. */
  readonly receiveWindowBytes: number;
  /** Megabytes of memory of one HTTP/2 connection; beyond: its new streams are refused. */
  readonly sessionMemoryMb: number;
  /**
   * Milliseconds in which a reader must have taken what was written last (64 KiB at most); beyond:
   * its stream is reset with ENHANCE_YOUR_CALM, which is RESOURCE_EXHAUSTED, or its HTTP/1.1
   * connection closed.
   */
  readonly stallTimeoutMs: number;
};

/** The defaults: facts measured against each attack, with the room that honest clients need. */
export const listenerLimits: ListenerLimits = {
  readMaxBytes: 1024 * 1024,
  // Node fires a timer of more than 24.8 days at once, so there must be some bound below that.
  maxTimeoutMs: 7 * 24 * 3_600_000,
  requestBodyTimeoutMs: 30_000,
  maxActiveRpcs: 20_000,
  maxConcurrentStreams: 100,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 2_000,
  // Above the 60 s of most proxies, so that they close first; far above our heartbeats.
  idleTimeoutMs: 75_000,
  protocolTimeoutMs: 10_000,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 60_000,
  lateRequestCheckMs: 5_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaderPairs: 128,
  maxIdlePings: 200,
  keepaliveMs: 30_000,
  receiveWindowBytes: 65_535,
  sessionMemoryMb: 10,
  stallTimeoutMs: 60_000,
};
