package io.troth.core;

import java.util.Arrays;
import java.util.function.Function;

/** What a scenario does with its machine after each step. The machine says the same whatever it is. */
public enum Between {
    NOTHING,
    /** It goes on from its own bytes. */
    CODED,
    /** It goes on from its folded bytes, so that it has forgotten what does not count. */
    FOLDED;

    /** The machine for the next step. */
    public <M> M next(M machine, Function<M, byte[]> encode, Function<M, byte[]> fold, Function<byte[], M> decode) {
        return switch (this) {
            case NOTHING -> machine;
            case CODED -> again(machine, encode, decode);
            case FOLDED -> again(machine, fold, decode);
        };
    }

    private static <M> M again(M machine, Function<M, byte[]> encode, Function<byte[], M> decode) {
        byte[] bytes = encode.apply(machine);
        M next = decode.apply(bytes);
        if (!Arrays.equals(bytes, encode.apply(next))) {
            throw new AssertionError("decode(encode(m)).encode() differs from encode(m)");
        }
        return next;
    }
}
