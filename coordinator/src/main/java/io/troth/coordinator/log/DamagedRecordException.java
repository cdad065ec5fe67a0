package io.troth.coordinator.log;

/** Bytes that are not what was written: a wrong checksum, an unknown version or kind, or content out of bounds. */
public class DamagedRecordException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public DamagedRecordException(String message) {
        super(message);
    }

    public DamagedRecordException(String message, Throwable cause) {
        super(message, cause);
    }
}
