package io.troth.coordinator.log;

/** Bytes that are whole, and that a later version of this program has written: this one must not guess what they mean. */
public final class LaterFormatException extends DamagedRecordException {

    private static final long serialVersionUID = 1L;

    /** {@code what} has this version, and this program reads versions up to the other one. */
    LaterFormatException(String what, int version, int known) {
        super(what + " of version " + version + ", this program reads version " + known);
    }
}
