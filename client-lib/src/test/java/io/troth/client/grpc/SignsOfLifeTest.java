package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: a silent coordinator is asked, and given up when it does not answer; one that says or answers anything is not.
 * Method: time passes when the test says so, and a channel keeps what it was asked.
 */
class SignsOfLifeTest {

    private final Queue<Runnable> due = new ArrayDeque<>();
    private final List<ClientCall.Listener<?>> questions = new ArrayList<>();
    private final List<String> methods = new ArrayList<>();
    private final List<String> givenUp = new ArrayList<>();
    private final SignsOfLife life =
            new SignsOfLife(new Recorder(), (task, millis) -> due.add(task), Duration.ofMillis(700), givenUp::add);

    private final class Recorder extends Channel {
        @Override
        public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
            methods.add(method.getFullMethodName());
            return new Question<>();
        }

        @Override
        public String authority() {
            return "nobody";
        }
    }

    private final class Question<Q, A> extends ClientCall<Q, A> {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
            questions.add(listener);
        }

        @Override
        public void request(int messages) {}

        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {}

        @Override
        public void halfClose() {}

        @Override
        public void sendMessage(Q message) {}
    }

    @BeforeEach
    void start() {
        life.start();
    }

    private void lookTimes(int times) {
        for (int i = 0; i < times; i++) {
            due.remove().run();
        }
    }

    @Test
    void asksNothingWhileTheCoordinatorSpeaks() {
        for (int i = 0; i < 10; i++) {
            life.heard();
            lookTimes(1);
        }
        assertEquals(List.of(), methods);
        assertEquals(List.of(), givenUp);
    }

    @Test
    void asksOnceAndGivesUp() {
        life.heard();
        lookTimes(3);
        assertEquals(List.of("grpc.health.v1.Health/Check"), methods);
        assertEquals(List.of(), givenUp);
        lookTimes(1);
        assertEquals(List.of("no sign of life for 2100 ms"), givenUp);
        assertEquals(0, due.size());
    }

    @Test
    void anErrorIsASignOfLifeToo() {
        lookTimes(2);
        questions.get(0).onClose(Status.UNIMPLEMENTED, new Metadata());
        lookTimes(3);
        assertEquals(List.of(), givenUp);
        assertEquals(2, methods.size());
        lookTimes(1);
        assertEquals(1, givenUp.size());
    }

    @Test
    void whatTheCoordinatorSaysLaterCounts() {
        lookTimes(2);
        life.heard();
        lookTimes(1);
        assertEquals(List.of(), givenUp);
    }

    @Test
    void looksNoMoreOnceItIsStopped() {
        lookTimes(2);
        life.stop();
        lookTimes(1);
        assertEquals(0, due.size());
        assertEquals(List.of(), givenUp);
    }
}
