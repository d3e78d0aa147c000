package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"golang.org/x/time/rate"
)

const (
	callsPerSecond = 200
	requestTimeout = 10 * time.Second
	maxRetries     = 4
	maxAnswer      = 1 << 20
	fresh          = 5 * time.Second

	absent         = 100301
	userSigExpired = 70001
)

// transient are the error codes after which the same call may succeed.
var transient = []int{100001, 60007, 60008, 60011, 60013, 60014, 60018, 60019}

// configuration is the callback configuration of an application.
type configuration struct {
	URL      string   `json:"Url"`
	Commands []string `json:"CallbackCommandList"`
}

// envelope is the answer to every call.
type envelope struct {
	ErrorCode int
	ErrorInfo string
	RequestID string `json:"RequestId"`
	Response  *configuration
}

// apiError is an answer with an error code.
type apiError envelope

func (e *apiError) Error() string {
	return fmt.Sprintf("Tencent answered with error %d: %s (RequestId %s)", e.ErrorCode, e.ErrorInfo, e.RequestID)
}

// client calls Tencent's API for any number of applications.
type client struct {
	endpoint  *url.URL
	http      *retryablehttp.Client
	apps      map[int64]*app
	defaultID int64
	// The last look at each application.
	looks sync.Map
}

type look struct {
	found *configuration
	at    time.Time
}

func newClient(endpoint *url.URL) *client {
	pooled := cleanhttp.DefaultPooledTransport()
	pooled.MaxIdleConnsPerHost = pooled.MaxIdleConns
	pooled.ResponseHeaderTimeout = requestTimeout
	limiters := map[string]*rate.Limiter{}
	for _, call := range []string{"set_callback", "get_callback", "delete_callback"} {
		// A burst would exceed the limit within its second.
		limiters[call] = rate.NewLimiter(callsPerSecond, 1)
	}
	retrying := retryablehttp.NewClient()
	retrying.HTTPClient = &http.Client{
		Transport: &signing{base: pooled, limiters: limiters},
		// A redirect would send the UserSig to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	retrying.Logger = nil
	retrying.RetryMax = maxRetries
	retrying.RetryWaitMin = 500 * time.Millisecond
	retrying.RetryWaitMax = 16 * time.Second
	retrying.CheckRetry = checkRetry
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &client{endpoint: endpoint, http: retrying, apps: map[int64]*app{}}
}

// Get returns the configuration, or nil if there is none.
func (c *client) Get(ctx context.Context, id int64) (*configuration, error) {
	answer, err := c.call(ctx, id, "get_callback", struct{}{})
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if answer.Response == nil {
		return nil, errors.New("Tencent's answer lacks the configuration")
	}
	return answer.Response, nil
}

// Look returns the configuration as Get does, for LookAgain.
func (c *client) Look(ctx context.Context, id int64) (*configuration, error) {
	found, err := c.Get(ctx, id)
	if err == nil {
		c.looks.Store(id, look{found: found, at: time.Now()})
	}
	return found, err
}

// LookAgain returns what Look has just found, or else asks: Terraform plans an object once more right before it creates it.
func (c *client) LookAgain(ctx context.Context, id int64) (*configuration, error) {
	if last, ok := c.looks.LoadAndDelete(id); ok && time.Since(last.(look).at) < fresh {
		return last.(look).found, nil
	}
	return c.Get(ctx, id)
}

// Set replaces the configuration, and returns Tencent's RequestId.
func (c *client) Set(ctx context.Context, id int64, wanted configuration) (string, error) {
	answer, err := c.call(ctx, id, "set_callback", wanted)
	if err != nil {
		return "", err
	}
	return answer.RequestID, nil
}

// Delete deletes the configuration, if there is one.
func (c *client) Delete(ctx context.Context, id int64) error {
	_, err := c.call(ctx, id, "delete_callback", struct{}{})
	if isAbsent(err) {
		return nil
	}
	return err
}

func isAbsent(err error) bool {
	var refused *apiError
	return errors.As(err, &refused) && refused.ErrorCode == absent
}

type appKey struct{}

func (c *client) call(ctx context.Context, id int64, name string, body any) (*envelope, error) {
	app, ok := c.apps[id]
	if !ok {
		return nil, fmt.Errorf("the provider has no secret_key for SDKAppID %d", id)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	// The query is added to each attempt, so that no error shows the UserSig.
	address := c.endpoint.JoinPath("v4/call_config", name)
	request, err := retryablehttp.NewRequestWithContext(context.WithValue(ctx, appKey{}, app), http.MethodPost, address.String(), text)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	tflog.Debug(ctx, "calling Tencent", map[string]any{"action": name, "sdk_app_id": id})
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer envelope
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("Tencent answered with HTTP status %s and no envelope", response.Status)
	}
	if answer.ErrorCode != 0 {
		return nil, (*apiError)(&answer)
	}
	return &answer, nil
}

// signing is a transport that waits for each attempt's turn, and signs it.
type signing struct {
	base http.RoundTripper
	// The limiter of each call.
	limiters map[string]*rate.Limiter
}

func (s *signing) RoundTrip(request *http.Request) (*http.Response, error) {
	query, err := s.query(request)
	if err != nil {
		request.Body.Close()
		return nil, err
	}
	signed := request.Clone(request.Context())
	signed.URL.RawQuery = query.Encode()
	return s.base.RoundTrip(signed)
}

func (s *signing) query(request *http.Request) (url.Values, error) {
	ctx := request.Context()
	if err := s.limiters[path.Base(request.URL.Path)].Wait(ctx); err != nil {
		return nil, err
	}
	app := ctx.Value(appKey{}).(*app)
	userSig, err := app.UserSig(time.Now())
	if err != nil {
		return nil, err
	}
	return url.Values{
		"sdkappid":    {strconv.FormatInt(app.id, 10)},
		"identifier":  {identifier},
		"usersig":     {userSig},
		"random":      {strconv.FormatUint(uint64(rand.Uint32()), 10)},
		"contenttype": {"json"},
	}, nil
}

// checkRetry also reads the answer: Tencent's errors arrive with HTTP status 200.
func checkRetry(ctx context.Context, response *http.Response, err error) (bool, error) {
	if retry, err := retryablehttp.DefaultRetryPolicy(ctx, response, err); retry || err != nil {
		return retry, err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(text))
	var answer envelope
	if err != nil || json.Unmarshal(text, &answer) != nil {
		return true, nil
	}
	if answer.ErrorCode == userSigExpired {
		ctx.Value(appKey{}).(*app).Forget()
		return true, nil
	}
	return slices.Contains(transient, answer.ErrorCode), nil
}
